// What a system's TCP knows of a connection and its sockets do not tell: that FIN waits behind unread bytes, and what is not acknowledged.
// Asked through the framework's raw options, with the numbers of each system. Called by PortableTransport on the loop's thread.
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Asgi.Server.Loops.Portable;

/// <summary>How far a connection is on its way to its end, as far as its peer is concerned.</summary>
internal enum ConnectionPhase
{
    /// <summary>The system does not say, or the socket is none of TCP.</summary>
    Unknown,

    Open,

    /// <summary>The peer has sent FIN.</summary>
    PeerShutdown,

    /// <summary>Both have sent FIN, or one RST.</summary>
    Over,
}

internal static class TcpKnowledge
{
    // getsockopt of level TCP: TCP_INFO of Linux, and TCP_CONNECTION_INFO of Darwin, each with the state in its first byte.
    private const int LevelTcp = 6;
    private const int LinuxInfo = 11;
    private const int LinuxBytesAcked = 120;
    private const int LinuxInfoSize = 128;
    private const int DarwinInfo = 0x106;
    private const int DarwinSendBufferLength = 32;
    private const int DarwinInfoSize = 112;

    // WSAIoctl: SIO_TCP_INFO of Windows 10 and later, with the state as its first field.
    private const int WindowsInfo = unchecked((int)0xD8000027);
    private const int WindowsInfoSize = 88;

    private static readonly byte[] WindowsInfoVersion = new byte[sizeof(int)];

    [ThreadStatic]
    private static byte[]? s_windowsInfo;

    public static ConnectionPhase PhaseOf(Socket socket)
    {
        if (socket.ProtocolType != ProtocolType.Tcp)
        {
            return ConnectionPhase.Unknown;
        }

        try
        {
            if (OperatingSystem.IsLinux())
            {
                return OfLinux(Ask(socket, LinuxInfo, stackalloc byte[1])[0]);
            }

            if (OperatingSystem.IsMacOS())
            {
                return OfDarwin(Ask(socket, DarwinInfo, stackalloc byte[DarwinInfoSize])[0]);
            }

            return OperatingSystem.IsWindows() ? OfWindows(AskWindows(socket)) : ConnectionPhase.Unknown;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // An older system, or a connection so far gone that nothing is known of it.
            return ConnectionPhase.Unknown;
        }
    }

    /// <summary>Bytes sent that the peer has not acknowledged.</summary>
    /// <param name="socket">A connected socket.</param>
    /// <param name="sent">All bytes that were ever given to be sent.</param>
    /// <param name="pending">Those of them that a send under way has, and perhaps the system in part.</param>
    public static long UnacknowledgedLength(Socket socket, long sent, int pending)
    {
        if (socket.ProtocolType != ProtocolType.Tcp)
        {
            return pending;
        }

        try
        {
            if (OperatingSystem.IsLinux())
            {
                var info = Ask(socket, LinuxInfo, stackalloc byte[LinuxInfoSize]);
                return Math.Max(0, sent - BitConverter.ToInt64(info[LinuxBytesAcked..]));
            }

            if (OperatingSystem.IsMacOS())
            {
                var info = Ask(socket, DarwinInfo, stackalloc byte[DarwinInfoSize]);
                return pending + BitConverter.ToUInt32(info[DarwinSendBufferLength..]);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // As where the system does not say.
        }

        return pending;
    }

    // include/net/tcp_states.h
    internal static ConnectionPhase OfLinux(int state) => state switch
    {
        8 => ConnectionPhase.PeerShutdown, // CLOSE_WAIT
        6 or 7 or 9 or 11 => ConnectionPhase.Over, // TIME_WAIT, CLOSE, LAST_ACK, CLOSING
        _ => ConnectionPhase.Open,
    };

    // netinet/tcp_fsm.h
    internal static ConnectionPhase OfDarwin(int state) => state switch
    {
        5 => ConnectionPhase.PeerShutdown, // CLOSE_WAIT
        0 or 7 or 8 or 10 => ConnectionPhase.Over, // CLOSED, CLOSING, LAST_ACK, TIME_WAIT
        _ => ConnectionPhase.Open,
    };

    // TCPSTATE of mstcpip.h
    internal static ConnectionPhase OfWindows(int state) => state switch
    {
        7 => ConnectionPhase.PeerShutdown, // CLOSE_WAIT
        0 or 8 or 9 or 10 => ConnectionPhase.Over, // CLOSED, CLOSING, LAST_ACK, TIME_WAIT
        _ => ConnectionPhase.Open,
    };

    private static Span<byte> Ask(Socket socket, int name, Span<byte> answer)
    {
        var length = socket.GetRawSocketOption(LevelTcp, name, answer);
        return length >= answer.Length ? answer : throw new SocketException((int)SocketError.ProtocolOption);
    }

    private static int AskWindows(Socket socket)
    {
        var answer = s_windowsInfo ??= new byte[WindowsInfoSize];
        socket.IOControl(WindowsInfo, WindowsInfoVersion, answer);
        return BinaryPrimitives.ReadInt32LittleEndian(answer);
    }
}
