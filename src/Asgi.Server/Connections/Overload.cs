// The answer to a request that a limit keeps from the application: 503 with Retry-After (RFC 9110, sections 15.6.4 and 10.2.3), and one log
// line per episode, not per request. Any thread.
using System.Globalization;
using Asgi.Server.Diagnostics;

namespace Asgi.Server.Connections;

internal sealed class Overload(string limit, int retryAfterSeconds, ServerLog log, TimeProvider time)
{
    /// <summary>Time without a refusal, in milliseconds, after which the next one is logged again.</summary>
    public const int EpisodeGapMilliseconds = 10_000;

    private readonly FieldList _fields = new FieldList().Add("Retry-After", retryAfterSeconds.ToString(CultureInfo.InvariantCulture));
    private long _lastRefusal;

    /// <summary>Answers in the application's place. The content is drained, and the connection persists where it would have.</summary>
    public void Refuse(HttpExchange exchange)
    {
        NoteRefusal();
        exchange.Send(new ResponseStart(503, _fields));
        exchange.Complete();
    }

    private void NoteRefusal()
    {
        // Ticks from 1, so that 0 is never.
        var now = time.GetTimestamp() | 1;
        var last = Interlocked.Exchange(ref _lastRefusal, now);
        if (last == 0 || time.GetElapsedTime(last, now).TotalMilliseconds > EpisodeGapMilliseconds)
        {
            log.RequestsRejected(limit);
        }
    }
}
