// The file of a unix socket: whose it is, whether anybody listens behind it, its mode, and its removal. Called by listeners when they bind
// and by Hosting, on the host's threads.
using System.Net;
using System.Net.Sockets;
using System.Text;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops;

/// <summary>What tells one file from another that has its path later.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode);

internal static unsafe class UnixSocketFile
{
    /// <summary>The file of an endpoint; null if it has none: no unix socket, or one of the abstract namespace (unix(7)).</summary>
    public static string? PathOf(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint)
        {
            return null;
        }

        // Behind the family stands the path; an abstract name begins with a zero byte, which ToString shows as '@'.
        var address = endPoint.Serialize();
        return address.Size > 2 && address[2] != 0 ? endPoint.ToString() : null;
    }

    /// <summary>The socket at a path; null if there is no file or one that is no socket, and where the system does not tell.</summary>
    public static FileIdentity? Identify(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var status = default(Libc.FileStatus);
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var result = Libc.StatX(
                Constants.CurrentDirectory, bytes, Constants.NoFollow, Constants.StatusType | Constants.StatusInode, &status);
            return result == 0 && (status.Mode & Constants.FileTypeMask) == Constants.FileTypeSocket
                ? new FileIdentity(status.DeviceMajor, status.DeviceMinor, status.Inode)
                : null;
        }
    }

    /// <summary>Sets who may connect. On Windows files have no mode, and nothing is done.</summary>
    /// <exception cref="SocketException">The system refuses.</exception>
    public static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(path, mode);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SocketException((int)SocketError.AccessDenied, exception.Message);
        }
    }

    /// <summary>
    /// Removes a socket that nobody listens on, as a server leaves it that was killed. Never a file that is no socket, nor one that was
    /// put there since it was looked at.
    /// </summary>
    /// <returns>Whether the path is free now; false too where the system does not tell sockets from files.</returns>
    public static bool TryRemoveStale(string path)
    {
        if (Identify(path) is not { } found || IsListenedOn(path) || Identify(path) != found)
        {
            return false;
        }

        File.Delete(path);
        return true;
    }

    /// <summary>
    /// Removes a socket that is the server's own. To be called while it still listens: its inode is not given to another file before it is
    /// closed. A file that may not be removed stays: a server that has given up its rights must stop all the same.
    /// </summary>
    /// <param name="path">Where it was bound.</param>
    /// <param name="bound">What was there then; null where the system does not tell.</param>
    public static void RemoveOwn(string path, FileIdentity? bound)
    {
        if (OperatingSystem.IsLinux() && (bound is null || Identify(path) != bound))
        {
            return;
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next server finds that nobody listens on it.
        }
    }

    private static bool IsListenedOn(string path)
    {
        // Without blocking: a listener whose backlog is full would have us wait.
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode != SocketError.ConnectionRefused;
        }
    }
}
