// Compares what a client has received with what the application noted, stream by stream. Called by the play, when all that could go on has,
// and again when all is over.

using System.Globalization;
using Asgi.Server.Connections;
using Asgi.Server.Fuzz.Driver;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Fuzz.Streams;

internal sealed class StreamVerdict(StreamClient client, Dictionary<int, Call> calls, ConnectionLimits limits, StreamPlay.Intervention by)
{
    private const string Exact = "A stream carries what its call wrote, whole when it ends, and never more.";
    private const string Refused = "What is refused before the application is called gets an empty response of its fault.";
    private const string NotLost = "Each stream that is called ends with END_STREAM, a reset, or its connection.";
    private const string Cut = "A stream is reset only for its application, its client, a limit or a deadline.";
    private const string Whole = "What the server sends ends with a whole frame, and no field block is left open.";
    private const string Calm = "A valid request on a calm connection is answered with 200, and the application read what was sent.";
    private const string CreditBack = "When no stream is open, the client may send half of the connection's window at least.";
    private const string CalmEnd = "A calm connection is not ended by the server.";

    private const uint NoError = 0;

    // Calls that go on although their streams are over count too, as long as there are more than twice the limit.
    private const uint RefusedStream = 7;

    /// <summary>When the clients have done all they wanted, and before they leave.</summary>
    public void CheckAtRest()
    {
        CheckStreams();
        if (!client.IsCalm || by == StreamPlay.Intervention.Time)
            return;
        bool isAsked = by == StreamPlay.Intervention.Stop;
        // A stop closes connections of which nothing has been heard, and nothing of them was served.
        if (isAsked && !client.Judge.HasBegun)
        {
            Demand(calls.Count == 0, Calm);
            return;
        }
        Demand(isAsked || (client.Connection.End == ConnectionEnd.None && client.Judge.LastStreamId is null), CalmEnd);
        Demand(client.Connection.End != ConnectionEnd.Reset && !client.Judge.IsRefused, CalmEnd);
        Demand(!client.Judge.IsMidFrame && !client.Judge.IsMidBlock, Whole);
        // What came behind the last stream of GOAWAY was not served, and can be tried elsewhere.
        int lastId = client.Judge.LastStreamId ?? int.MaxValue;
        foreach (SentRequest request in client.Requests.Where(request => !request.IsCancelled && request.Id <= lastId))
        {
            SeenStream? seen = client.Judge.Streams.GetValueOrDefault(request.Id);
            Call? call = calls.GetValueOrDefault(request.Id);
            if (call is null && seen?.ResetCode == RefusedStream && client.Requests.Count > 2 * limits.Http2.MaxStreamsPerConnection)
                continue;
            Demand(seen is { Status: 200, IsEnded: true } && call is not null && HasReadAll(call, request), Calm);
            Demand(seen!.ResetCode is null or NoError, Cut);
        }
        long window = Math.Max(65_535, limits.Http2.InitialConnectionWindowSize);
        Demand(isAsked || client.Judge.ConnectionWindow >= window / 2, CreditBack);
    }

    /// <summary>When the connection is over.</summary>
    public void CheckInTheEnd()
    {
        CheckStreams();
        bool isBroken = client.HasReset || client.HasFinished || !client.IsCalm || by == StreamPlay.Intervention.Time;
        foreach ((int id, Call call) in calls.Where(_ => !isBroken))
        {
            SeenStream? seen = client.Judge.Streams.GetValueOrDefault(id);
            Demand(seen is { IsEnded: true } or { ResetCode: not null } || client.Ledger.HasCancelled(id), NotLost);
        }
    }

    private void CheckStreams()
    {
        foreach (SeenStream seen in client.Judge.Streams.Values.Where(seen => seen.Status != 0))
        {
            if (!calls.TryGetValue(seen.Id, out Call? call))
                Demand(seen.Status is >= 400 or 100 && seen.Content.Length == 0, Refused);
            else if (seen.Status >= 200)
                Demand(Fits(call, seen), Exact);
            if (seen.IsEnded && call?.Method != "HEAD" && seen.Head.TryGetValue("content-length", out string? length))
                Demand(int.Parse(length, CultureInfo.InvariantCulture) == seen.Content.Length, Exact);
        }
    }

    private static bool Fits(Call call, SeenStream seen)
    {
        string content = seen.Content.ToString();
        if (!call.HadStarted && (call.End == CallEnd.Thrown || (call.IsShort && seen.Status != call.Status)))
            return seen.Status >= 400 && content.Length == 0;
        string written = call.Method == "HEAD" ? "" : call.Written.ToString();
        // The response to HEAD ends with its head, whatever its call does later.
        bool isWhole = call.Method == "HEAD" || (content.Length == written.Length
            && !call.IsShort && call.End != CallEnd.Thrown && seen.Trailers?.GetValueOrDefault("x-after") == call.Trailer);
        return seen.Status == call.Status && written.StartsWith(content, StringComparison.Ordinal) && (!seen.IsEnded || isWhole);
    }

    private static bool HasReadAll(Call call, SentRequest request) =>
        request.Target.Split('/')[1] switch
    {
        "read" or "echo" or "trailers" =>
            call.Read == request.Content && (call.RequestTrailer == "7") == request.Has(RequestShape.Trailers),
        "cancels" => call.Read == request.Content,
        "partly" => request.Content.StartsWith(call.Read, StringComparison.Ordinal),
        _ => true,
    };

    private void Demand(bool holds, string invariant) => InvariantException.Demand(holds, invariant, () =>
        $"requests:\n{string.Join('\n', client.Requests)}\ncalls:\n{string.Join('\n', calls.Select(call => $"{call.Key}: {call.Value}"))}\n"
        + $"streams:\n{string.Join('\n', client.Judge.Streams.Values)}\nwindow {client.Judge.ConnectionWindow}, "
        + $"GOAWAY {client.Judge.LastStreamId}{(client.Judge.IsRefused ? " with an error" : "")}, end {client.Connection.End}");
}
