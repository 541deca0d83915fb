// errno values the loops decide by, and their translation to the framework's SocketException.
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Asgi.Server.Loops.Interop;

internal static class Errno
{
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int InvalidArgument = 22;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int OutOfMemory = 12;
    public const int BrokenPipe = 32;
    public const int NotImplemented = 38;
    public const int ProtocolError = 71;
    public const int AddressFamilyNotSupported = 97;
    public const int AddressInUse = 98;
    public const int AddressNotAvailable = 99;
    public const int ConnectionAborted = 103;
    public const int ConnectionReset = 104;
    public const int NoBufferSpace = 105;
    public const int TimedOut = 110;

    /// <summary>The result of a call that must not fail, or its errno as an exception.</summary>
    public static int Demand(int result) => result >= 0 ? result : throw ToException(Marshal.GetLastPInvokeError());

    /// <summary>
    /// The framework's exception for an errno of a socket call; codes without a name of their own keep the number in the message.
    /// </summary>
    public static SocketException ToException(int errno) => errno switch
    {
        AccessDenied => new SocketException((int)SocketError.AccessDenied),
        AddressInUse => new SocketException((int)SocketError.AddressAlreadyInUse),
        AddressNotAvailable => new SocketException((int)SocketError.AddressNotAvailable),
        AddressFamilyNotSupported => new SocketException((int)SocketError.AddressFamilyNotSupported),
        TooManyFiles or TooManyFilesInSystem => new SocketException((int)SocketError.TooManyOpenSockets),
        _ => new SocketException((int)SocketError.SocketError, $"The operating system refused the call with error {errno}."),
    };
}
