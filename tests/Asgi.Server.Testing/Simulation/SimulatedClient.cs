// The client's end of a simulated connection: what a test does and sees. On the thread that drives the loop.

using System.Net;
using System.Text;

namespace Asgi.Server.Testing.Simulation;

/// <summary>How the server has ended a connection, as its client sees it.</summary>
internal enum ConnectionEnd
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>FIN, behind everything that was sent.</summary>
    Fin,

    /// <summary>RST: what was on its way is lost.</summary>
    Reset,
}

internal sealed class SimulatedClient(SimulatedTransport transport)
{
    private readonly ByteQueue _received = new();

    public EndPoint LocalEndPoint => transport.RemoteEndPoint!;

    /// <summary>Times the server was asked for the connection's socket.</summary>
    public int SocketAskedCount => transport.SocketAskedCount;

    /// <summary>Sends of the server's that took something.</summary>
    public int SendCount => transport.SendCount;

    /// <summary>Ranges of memory those were handed.</summary>
    public int RangeCount => transport.RangeCount;

    /// <summary>How the server has ended the connection.</summary>
    public ConnectionEnd End { get; internal set; }

    /// <summary>Bytes the client is still willing to receive; a slow reader's is small.</summary>
    public long Window { get; set; } = long.MaxValue;

    /// <summary>Everything received and not taken, a char per byte.</summary>
    public string Received => Encoding.Latin1.GetString(_received.Peek(0));

    public int ReceivedLength => _received.Length;

    /// <summary>Sends each character as the byte of the same number.</summary>
    public void Send(string bytes) => Send(Encoding.Latin1.GetBytes(bytes));

    public void Send(ReadOnlySpan<byte> bytes) => transport.SendFromClient(bytes);

    /// <summary>Bytes sent that the server has not taken: its back-pressure.</summary>
    public int UnsentLength => transport.UnreceivedLength;

    /// <summary>Sends FIN behind what was sent, and goes on reading.</summary>
    public void ShutdownSend() => transport.ShutdownFromClient();

    /// <summary>Sends RST: what is on its way is lost.</summary>
    public void Reset() => transport.ResetFromClient();

    /// <summary>Takes everything received.</summary>
    public string Take()
    {
        var received = Received;
        _received.Clear();
        return received;
    }

    /// <summary>Takes as much of what was received as there is room for.</summary>
    public int Take(Span<byte> target) => _received.Dequeue(target);

    /// <summary>Takes everything received without looking at it.</summary>
    /// <returns>How many bytes it was.</returns>
    public int Discard()
    {
        var length = _received.Length;
        _received.Clear();
        return length;
    }

    internal void Receive(ByteQueue from, int count)
    {
        from.MoveTo(_received, count);
        Window -= count;
    }
}
