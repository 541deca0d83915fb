// What a load counts, from many tasks at once.

using System.Collections.Concurrent;

namespace Endure;

internal sealed class Tally
{
    private const int DetailsMax = 20;

    private readonly ConcurrentDictionary<string, int> _details = new();
    private long _right;
    private long _errors;
    private long _lost;
    private long _wrong;

    /// <summary>Responses that were as they must be.</summary>
    public long Right => Interlocked.Read(ref _right);

    /// <summary>Exceptions of the client: a connection refused, a reset.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Responses that never came, or not whole.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Responses with another status or content than the request asks for.</summary>
    public long Wrong => Interlocked.Read(ref _wrong);

    public bool IsClean => Errors + Lost + Wrong == 0;

    /// <summary>What went wrong, how often, and where.</summary>
    public IEnumerable<string> Details =>
        _details.OrderByDescending(detail => detail.Value).Take(DetailsMax).Select(d => $"{d.Value} x {d.Key}");

    /// <summary>Judges one response by its status and content.</summary>
    public void Count(string kind, Response? response, ReadOnlySpan<byte> content)
    {
        if (response is null)
            CountLost(kind);
        else if (response.Status == 200 && response.Content.AsSpan().SequenceEqual(content))
            Interlocked.Increment(ref _right);
        else
            CountWrong(kind, $"{response.Status} with {response.Content.Length} of {content.Length} bytes");
    }

    public void Count(string kind, bool isRight)
    {
        if (isRight)
            Interlocked.Increment(ref _right);
        else
            CountWrong(kind, "not as sent");
    }

    public void CountError(string kind, Exception e)
    {
        Interlocked.Increment(ref _errors);
        Note($"error in {kind}: {e.GetType().Name} {e.Message}");
    }

    public void CountLost(string kind)
    {
        Interlocked.Increment(ref _lost);
        Note($"lost in {kind}");
    }

    private void CountWrong(string kind, string seen)
    {
        Interlocked.Increment(ref _wrong);
        Note($"wrong in {kind}: {seen}");
    }

    private void Note(string detail) => _details.AddOrUpdate(detail, 1, (_, count) => count + 1);
}
