// The numbers behind the names, as Linux defines them for x86-64 and arm64 (asm-generic). Used by Epoll/ and
// UnixSocketFile.
namespace Asgi.Server.Loops.Interop;

internal static class Constants
{
    public const int EpollCloseOnExec = 0x80000;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const uint EpollIn = 0x001;
    public const uint EpollOut = 0x004;
    public const uint EpollError = 0x008;
    public const uint EpollHangUp = 0x010;
    public const uint EpollReadHangUp = 0x2000;
    public const uint EpollEdgeTriggered = 0x80000000;

    public const int EventFdCloseOnExec = 0x80000;
    public const int EventFdNonBlocking = 0x800;

    public const int SocketStream = 1;
    public const int SocketNonBlocking = 0x800;
    public const int SocketCloseOnExec = 0x80000;

    public const int LevelSocket = 1;
    public const int ReuseAddress = 2;
    public const int SocketKind = 3;
    public const int Linger = 13;
    public const int ReusePort = 15;
    public const int AcceptsConnections = 30;
    public const int LevelTcp = 6;
    public const int TcpNoDelay = 1;
    public const int LevelIpv6 = 41;
    public const int Ipv6Only = 26;

    public const int SetDescriptorFlags = 2;
    public const int DescriptorCloseOnExec = 1;
    public const int GetStatusFlags = 3;
    public const int SetStatusFlags = 4;
    public const int StatusNonBlocking = 0x800;

    public const int CurrentDirectory = -100;
    public const int NoFollow = 0x100;
    public const uint StatusType = 0x001;
    public const uint StatusInode = 0x100;
    public const ushort FileTypeMask = 0xF000;
    public const ushort FileTypeSocket = 0xC000;

    public const int MessageNoSignal = 0x4000;
    public const int MessageMore = 0x8000;
    public const int ShutdownWrite = 1;

    /// <summary>SIOCOUTQ, tcp(7): bytes of the send queue that are not acknowledged.</summary>
    public const nuint SocketOutputQueue = 0x5411;

    // fcntl
    public const int DuplicateCloseOnExec = 1030;
}
