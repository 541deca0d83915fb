// One endpoint as configured in code. Used on the host's threads before the server starts.
using System.Net;
using System.Net.Sockets;

namespace Asgi.Server;

/// <summary>An endpoint to listen on.</summary>
public sealed partial class ListenOptions
{
    internal ListenOptions(EndPoint endPoint, AsgiServerOptions serverOptions, bool isLocalhost = false)
    {
        EndPoint = endPoint;
        AsgiServerOptions = serverOptions;
        IsLocalhost = isLocalhost;
    }

    /// <summary>What is listened on.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The address and port, or null when the endpoint is a unix socket.</summary>
    public IPEndPoint? IPEndPoint => EndPoint as IPEndPoint;

    /// <summary>The path of the unix socket, or null when the endpoint is an address.</summary>
    public string? SocketPath => (EndPoint as UnixDomainSocketEndPoint)?.ToString();

    /// <summary>The options of the server the endpoint belongs to.</summary>
    public AsgiServerOptions AsgiServerOptions { get; }

    /// <summary>
    /// Connections the kernel completes ahead of the server's accept, for each loop's socket; the kernel caps it (net.core.somaxconn).
    /// Greater than 0; default 512.
    /// </summary>
    public int Backlog
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 512;

    /// <summary>
    /// The limits of this endpoint's connections: a copy of the server's, made when it is first asked for, and the endpoint's own from then
    /// on. MaxConcurrentConnections, MaxConcurrentUpgradedConnections and MaxConcurrentRequests are counted with the rest of the server as
    /// long as they are the server's numbers; another number is counted for the endpoint alone.
    /// </summary>
    public AsgiServerLimits Limits => OwnLimits ??= AsgiServerOptions.Limits.Copy();

    /// <summary>The endpoint's own limits, or null where the server's are meant.</summary>
    internal AsgiServerLimits? OwnLimits { get; private set; }

    /// <summary>Both loopback addresses are meant, of which one may be missing.</summary>
    internal bool IsLocalhost { get; }
}
