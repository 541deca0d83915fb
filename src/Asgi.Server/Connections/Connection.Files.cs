// Sending files from the kernel to the socket, a bounded part a turn: an edge says only that a full socket has room again, so a turn that
// ends before the socket is full posts the next. On the thread of the loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed partial class Connection
{
    /// <summary>Bytes of files that one flush sends before the other connections of the loop have their turn.</summary>
    public const int FileBytesPerTurnMax = 512 * 1024;

    private SendTurn? _sendTurn;
    private bool _isSendTurnPosted;

    // False: no more now.
    private bool SendFile(ref int bytesLeft)
    {
        if (bytesLeft == 0)
        {
            // The socket may have room, and then no edge will say so.
            SendLater();
            return false;
        }

        var file = Output.FirstFile!;
        var result = Transport.SendFile(file.Handle, file.Offset, (int)Math.Min(bytesLeft, file.Length));
        if (result is { Status: TransportStatus.Done, Length: > 0 })
        {
            Output.ConsumeFile(result.Length);
            _sendRate?.Count(result.Length);
            bytesLeft -= result.Length;
            return true;
        }

        if (result.Status != TransportStatus.WouldBlock)
        {
            if (result.Status == TransportStatus.Done)
            {
                // The length is announced: what follows would be taken for the rest of the file.
                Log.FileTruncated(Id);
                Abort(ConnectionEndReason.ErrorAfterStartingResponse);
                return false;
            }

            CloseReset();
        }

        return false;
    }

    /// <summary>Has what is queued sent with the next tick: the other connections of the loop have their turn first.</summary>
    public void SendLater()
    {
        if (!_isSendTurnPosted)
        {
            _isSendTurnPosted = true;
            Loop.Post(_sendTurn ??= new SendTurn(this));
        }
    }

    private sealed class SendTurn(Connection connection) : WorkItem
    {
        public override void Run()
        {
            connection._isSendTurnPosted = false;
            connection.FlushLater();
        }
    }
}
