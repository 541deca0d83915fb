// One endpoint, from code, an address or the configuration. Used on the host's threads before the endpoint is bound.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server;

/// <summary>An endpoint to listen on.</summary>
public sealed partial class ListenOptions
{
    /// <summary>What a file's mode can say: read, write and execute for user, group and others.</summary>
    private const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;

    private HttpProtocols? _protocols;

    internal ListenOptions(EndPoint endPoint, AsgiServerOptions serverOptions, string? localhostName = null)
    {
        EndPoint = endPoint;
        AsgiServerOptions = serverOptions;
        LocalhostName = localhostName;
    }

    /// <summary>What is listened on.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The address and port, or null when the endpoint is something else.</summary>
    public IPEndPoint? IPEndPoint => EndPoint as IPEndPoint;

    /// <summary>The path of the unix socket, or null when the endpoint is something else.</summary>
    public string? SocketPath => (EndPoint as UnixDomainSocketEndPoint)?.ToString();

    /// <summary>The handle of a socket that the process inherited, or 0 when the endpoint is something else.</summary>
    public ulong FileHandle => (EndPoint as FileHandleEndPoint)?.FileHandle ?? 0;

    /// <summary>The name of the pipe, or null when the endpoint is something else; pipes are refused, so no server binds one.</summary>
    public string? PipeName => (EndPoint as NamedPipeEndPoint)?.PipeName;

    /// <summary>The options of the server the endpoint belongs to.</summary>
    public AsgiServerOptions AsgiServerOptions { get; }

    /// <summary>
    /// The versions of HTTP to serve; the start refuses an endpoint with none that the server has. Default
    /// <see cref="HttpProtocols.Http1AndHttp2"/>: with TLS the client chooses (ALPN), without it that means HTTP/1.1, as with Kestrel,
    /// unless <see cref="DetectHttp2"/> is set; a warning says so if it was set. <see cref="HttpProtocols.Http2"/> alone is HTTP/2 by prior
    /// knowledge where there is no TLS. HTTP/3 is not served; a warning says so.
    /// </summary>
    public HttpProtocols Protocols
    {
        get => _protocols ?? HttpProtocols.Http1AndHttp2;
        set => _protocols = value;
    }

    /// <summary>
    /// Whether an endpoint without TLS that serves HTTP/1.1 and HTTP/2 finds out by the first bytes of a connection which of both it is
    /// (the preface of RFC 9113, section 3.4), so that clients with prior knowledge of HTTP/2 can use the same port. Without effect with
    /// TLS or where <see cref="Protocols"/> has one of them only. Default false: connections are HTTP/1.1.
    /// </summary>
    public bool DetectHttp2 { get; set; }

    /// <summary>
    /// Whether responses do not advertise HTTP/3 in Alt-Svc. HTTP/3 is not served yet and nothing is advertised. Default false.
    /// </summary>
    public bool DisableAltSvcHeader { get; set; }

    /// <summary>
    /// Connections the kernel completes ahead of the server's accept, for each loop's socket; the kernel caps it (net.core.somaxconn).
    /// Without effect on an inherited handle. Greater than 0; default 512.
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
    /// The mode of a unix socket's file; to connect, a process needs the permission to write. Set before anybody can connect. Read, write
    /// and execute for user, group and others only; null, the default, for what the umask of the process leaves. Without effect on other
    /// endpoints and on Windows.
    /// </summary>
    public UnixFileMode? UnixSocketMode
    {
        get;
        set
        {
            if ((value & ~Permissions) is { } beyond && beyond != 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Permissions of user, group and others only.");
            }

            field = value;
        }
    }

    /// <summary>
    /// The limits of this endpoint's connections: a copy of the server's, made when it is first asked for, and the endpoint's own from then
    /// on. MaxConcurrentConnections, MaxConcurrentUpgradedConnections and MaxConcurrentRequests are counted with the rest of the server as
    /// long as they are the server's numbers; another number is counted for the endpoint alone.
    /// </summary>
    public AsgiServerLimits Limits => OwnLimits ??= AsgiServerOptions.Limits.Copy();

    /// <summary>The endpoint's own limits, or null where the server's are meant.</summary>
    internal AsgiServerLimits? OwnLimits { get; private set; }

    /// <summary>The name for both loopback addresses, of which one may be missing; null where only the endpoint is meant.</summary>
    internal string? LocalhostName { get; }

    /// <summary>The versions of HTTP, if somebody has set them.</summary>
    internal HttpProtocols? ProtocolsSet => _protocols;

    /// <summary>How the endpoint is shown before it is bound.</summary>
    internal string Display => LocalhostName is null
        ? EndpointAddress.Display(EndPoint, IsTls)
        : $"{EndpointAddress.SchemeOf(IsTls)}://{LocalhostName}:{IPEndPoint!.Port}";

    /// <summary>What keeps the endpoint from being served.</summary>
    internal IEnumerable<string> Problems()
    {
        if ((Protocols & HttpProtocols.Http1AndHttp2) == HttpProtocols.None)
        {
            yield return $"{Display}: Protocols ({Protocols}) must be Http1, Http2 or Http1AndHttp2: Asgi.Server does not serve others.";
        }

        foreach (var problem in OwnLimits?.Problems() ?? [])
        {
            yield return $"{Display}: {problem}";
        }
    }
}
