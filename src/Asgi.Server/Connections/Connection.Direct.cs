// Sending from memory that is not the connection's, while its owner waits. On the thread of the loop.
using System.Runtime.CompilerServices;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

internal sealed partial class Connection
{
    /// <summary>Bytes sent directly in a tick, after which the other connections of the loop have their turn.</summary>
    public const int DirectLengthMax = 1024 * 1024;

    private int _directLength;

    /// <summary>Sends what is queued, and as much of <paramref name="content"/> behind it as the socket takes at once.</summary>
    /// <returns>
    /// How many bytes of the content were sent. A connection that turns out to be broken sends none, and says so at the next flush.
    /// </returns>
    [SkipLocalsInit]
    public unsafe int SendDirect(ReadOnlySpan<byte> content)
    {
        var room = DirectLengthMax - _directLength;
        if (State != ConnectionState.Open || Output.FileCount > 0 || room == 0)
        {
            return 0;
        }

        var vectors = stackalloc IoVector[SendBuffer.GatherCountMax];
        var count = Output.Gather(new Span<IoVector>(vectors, SendBuffer.GatherCountMax), out _);
        if (count == SendBuffer.GatherCountMax)
        {
            return 0;
        }

        fixed (byte* start = content)
        {
            vectors[count++] = new IoVector(start, Math.Min(content.Length, room));
            var result = Transport.Send(new ReadOnlySpan<IoVector>(vectors, count));
            if (result.Status != TransportStatus.Done)
            {
                return 0;
            }

            var queued = Math.Min(result.Length, Output.Length);
            Output.Consume(queued);
            _sendRate?.Count(result.Length);
            var sent = (int)(result.Length - queued);
            _directLength += sent;
            return sent;
        }
    }
}
