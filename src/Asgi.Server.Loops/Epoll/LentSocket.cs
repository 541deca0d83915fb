// A connection's socket for code that wants its options or its peer's credentials: .NET's own, over a duplicate of the descriptor, which is
// closed with the connection. So nothing that is kept for too long can touch the connection that gets the descriptor next. Asked for on any
// thread, ended on the loop's; neither waits for the other: the last of the two closes the descriptor.
using System.Net.Sockets;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Epoll;

[SupportedOSPlatform("linux")]
internal struct LentSocket
{
    private const int None = 0;
    private const int Making = 1;
    private const int Made = 2;
    private const int Over = 3;

    private int _state;
    private Socket? _socket;

    /// <summary>
    /// The socket, made when it is first asked for; null once the connection is over, or when there are no descriptors left.
    /// </summary>
    public Socket? Get(int descriptor)
    {
        var wait = new SpinWait();
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Made:
                    return _socket;
                case Over:
                    return null;
                case None when Interlocked.CompareExchange(ref _state, Making, None) == None:
                    Make(descriptor);
                    break;
                default:
                    // Another thread is about to have made it.
                    wait.SpinOnce();
                    break;
            }
        }
    }

    /// <summary>The connection is over. Once.</summary>
    /// <returns>False when the descriptor is in use at this moment: whoever uses it closes it then.</returns>
    public bool End()
    {
        var before = Interlocked.Exchange(ref _state, Over);
        if (before == Made)
        {
            _socket?.Dispose();
        }

        return before != Making;
    }

    private void Make(int descriptor)
    {
        var duplicate = Libc.DescriptorControl(descriptor, Constants.DuplicateCloseOnExec, 0);
        var socket = duplicate < 0 ? null : new Socket(new SafeSocketHandle(duplicate, ownsHandle: true));
        _socket = socket;
        if (Interlocked.CompareExchange(ref _state, Made, Making) != Making)
        {
            socket?.Dispose();
            _ = Libc.Close(descriptor);
        }
    }
}
