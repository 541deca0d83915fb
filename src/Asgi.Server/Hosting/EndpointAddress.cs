// What an address string asks for: the table of forms that engineers know from Kestrel. Used by AddressBinder and the configuration, on the
// host's threads.
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Hosting;

/// <param name="EndPoint">What to listen on.</param>
/// <param name="LocalhostName">The name that stands for both loopback addresses; null where only the endpoint is meant.</param>
/// <param name="IsHttps">Whether it has TLS.</param>
internal readonly record struct EndpointAddress(EndPoint EndPoint, string? LocalhostName, bool IsHttps = false)
{
    /// <exception cref="FormatException">The text is no address.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such port, or the path of a unix socket is too long.</exception>
    /// <exception cref="InvalidOperationException">It asks for what the server does not do.</exception>
    /// <exception cref="PlatformNotSupportedException">It names a pipe, and this is not Windows.</exception>
    /// <exception cref="NotSupportedException">It names a pipe.</exception>
    public static EndpointAddress Parse(string text)
    {
        var address = BindingAddress.Parse(text);
        var isHttps = address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
        if (!isHttps && !address.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException(
                $"Unrecognized scheme in server address '{text}'. Only 'http://' and 'https://' are supported.");
        }

        if (!string.IsNullOrEmpty(address.PathBase))
        {
            throw new InvalidOperationException(
                $"A path base cannot be part of a server address ('{text}'). Use IApplicationBuilder.UsePathBase().");
        }

        if (address.IsNamedPipe)
        {
            throw NoNamedPipes(text);
        }

        if (address.IsUnixPipe)
        {
            return new EndpointAddress(new UnixDomainSocketEndPoint(address.UnixPipePath), LocalhostName: null, isHttps);
        }

        if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || address.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
        {
            return new EndpointAddress(new IPEndPoint(IPAddress.Loopback, address.Port), address.Host, isHttps);
        }

        // Any name that is no address stands for all addresses, as with Kestrel.
        var ip = IPAddress.TryParse(address.Host, out var parsed) ? parsed : IPAddress.IPv6Any;
        return new EndpointAddress(new IPEndPoint(ip, address.Port), LocalhostName: null, isHttps);
    }

    /// <summary>Why a named pipe is refused.</summary>
    public static NotSupportedException NoNamedPipes(string name) => OperatingSystem.IsWindows()
        ? new NotSupportedException($"'{name}': Asgi.Server does not listen on named pipes; use TCP or a unix socket.")
        : new PlatformNotSupportedException($"'{name}': named pipes exist on Windows only; use a unix socket.");

    /// <summary>How an endpoint is shown.</summary>
    public static string Display(EndPoint endPoint, bool isHttps) => endPoint switch
    {
        UnixDomainSocketEndPoint => $"{SchemeOf(isHttps)}://unix:{endPoint}",
        FileHandleEndPoint => $"{SchemeOf(isHttps)}://<file handle>",
        _ => $"{SchemeOf(isHttps)}://{endPoint}",
    };

    public static string SchemeOf(bool isHttps) => isHttps ? "https" : "http";
}
