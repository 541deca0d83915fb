// Which endpoints the server listens on, and binding them: the precedence of Hosting's addresses, code and the default, and the forms of an
// address string. Used by AsgiServer on the host's thread while it starts.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

/// <summary>
/// An endpoint that is bound, with the address it is shown by; <paramref name="Limits"/> is null where the server's are meant.
/// </summary>
internal sealed record BoundAddress(
    BoundEndpoint Endpoint, string Display, string? SocketPath, AsgiServerLimits? Limits, ListenOptions Options);

internal sealed partial class AddressBinder(LoopGroup group, AsgiServerOptions options, ServerAddresses addresses, ILogger logger)
{
    private const string DefaultAddress = "http://localhost:5000";

    private readonly List<BoundAddress> _bound = [];

    /// <summary>Binds everything.</summary>
    /// <exception cref="IOException">An address is in use.</exception>
    /// <exception cref="InvalidOperationException">An address string asks for what the server does not do.</exception>
    /// <exception cref="SocketException">Any other refusal of the operating system. In every case nothing stays bound.</exception>
    public IReadOnlyList<BoundAddress> Bind()
    {
        try
        {
            BindChosen();
            return _bound;
        }
        catch
        {
            foreach (var bound in _bound)
            {
                bound.Endpoint.CloseUnstarted();
                DeleteSocketFile(bound);
            }

            throw;
        }
    }

    public static void DeleteSocketFile(BoundAddress bound)
    {
        if (bound.SocketPath is { } path && path[0] != '@' && path[0] != '\0')
        {
            File.Delete(path);
        }
    }

    private void BindChosen()
    {
        var hasAddresses = addresses.Addresses.Count > 0;
        if (options.Endpoints.Count > 0 && !(hasAddresses && addresses.PreferHostingUrls))
        {
            if (hasAddresses)
            {
                OverridingAddresses(logger, string.Join(", ", addresses.Addresses));
            }

            foreach (var endpoint in options.Endpoints)
            {
                BindEndpoint(endpoint, endpoint.IsLocalhost ? $"http://localhost:{endpoint.IPEndPoint!.Port}" : null);
            }

            return;
        }

        if (!hasAddresses)
        {
            UsingDefault(logger, DefaultAddress);
            BindAddress(DefaultAddress);
            return;
        }

        if (options.Endpoints.Count > 0)
        {
            PreferringAddresses(logger, string.Join(", ", addresses.Addresses));
        }

        foreach (var address in addresses.Addresses)
        {
            BindAddress(address);
        }
    }

    private void BindAddress(string text)
    {
        var address = BindingAddress.Parse(text);
        if (address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException($"'{text}': Asgi.Server does not serve https yet.");
        }

        if (!address.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException($"Unrecognized scheme in server address '{text}'. Only 'http://' is supported.");
        }

        if (!string.IsNullOrEmpty(address.PathBase))
        {
            throw new InvalidOperationException(
                $"A path base cannot be part of a server address ('{text}'). Use IApplicationBuilder.UsePathBase().");
        }

        if (address.IsNamedPipe)
        {
            throw new PlatformNotSupportedException($"'{text}': named pipes exist on Windows only.");
        }

        if (address.IsUnixPipe)
        {
            BindEndpoint(options.CreateDefault(new UnixDomainSocketEndPoint(address.UnixPipePath), isLocalhost: false));
        }
        else if (IsLocalhost(address.Host))
        {
            var loopback = new IPEndPoint(IPAddress.Loopback, address.Port);
            BindEndpoint(options.CreateDefault(loopback, isLocalhost: true), $"http://{address.Host}:{address.Port}");
        }
        else
        {
            // Any name that is no address stands for all addresses, as with Kestrel.
            var ip = IPAddress.TryParse(address.Host, out var parsed) ? parsed : IPAddress.IPv6Any;
            BindEndpoint(options.CreateDefault(new IPEndPoint(ip, address.Port), isLocalhost: false));
        }
    }

    private static bool IsLocalhost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private void BindEndpoint(ListenOptions endpoint, string? display = null)
    {
        endpoint.OwnLimits?.Validate();
        if (endpoint.IsLocalhost)
        {
            BindLocalhost(endpoint, display!);
            return;
        }

        try
        {
            BindOne(endpoint.EndPoint, endpoint, display: null);
        }
        catch (SocketException) when (endpoint.IPEndPoint is { } ip && ip.Address.Equals(IPAddress.IPv6Any))
        {
            // No IPv6 on this system.
            BindOne(new IPEndPoint(IPAddress.Any, ip.Port), endpoint, display: null);
        }
    }

    private void BindLocalhost(ListenOptions endpoint, string display)
    {
        var port = endpoint.IPEndPoint!.Port;
        if (port == 0)
        {
            throw new InvalidOperationException(
                "Dynamic port binding is not supported when binding to localhost. "
                + "You must either bind to 127.0.0.1:0 or [::1]:0, or both.");
        }

        List<Exception> failures = [];
        var before = _bound.Count;
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                BindOne(new IPEndPoint(address, port), endpoint, display);
            }
            catch (SocketException exception)
            {
                LoopbackMissing(logger, display, address, exception.Message);
                failures.Add(exception);
            }
        }

        if (_bound.Count == before)
        {
            throw new IOException($"Failed to bind to address {display}.", new AggregateException(failures));
        }
    }

    private void BindOne(EndPoint endPoint, ListenOptions endpoint, string? display)
    {
        try
        {
            var bound = group.Bind(endPoint, endpoint.Backlog);
            var socketPath = (endPoint as UnixDomainSocketEndPoint)?.ToString();
            _bound.Add(new BoundAddress(bound, display ?? Display(bound.LocalEndPoint), socketPath, endpoint.OwnLimits, endpoint));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new IOException(
                $"Failed to bind to address {display ?? Display(endPoint)}: address already in use.",
                new AddressInUseException(exception.Message, exception));
        }
    }

    private static string Display(EndPoint endPoint) =>
        endPoint is UnixDomainSocketEndPoint ? $"http://unix:{endPoint}" : $"http://{endPoint}";

    [LoggerMessage(0, LogLevel.Warning,
        "Overriding address(es) '{Addresses}'. Binding to endpoints defined in code instead.",
        EventName = "OverridingAddresses")]
    private static partial void OverridingAddresses(ILogger logger, string addresses);

    [LoggerMessage(200, LogLevel.Information,
        "Binding to address(es) '{Addresses}' instead of endpoints defined in code, since 'PreferHostingUrls' is set.",
        EventName = "PreferringAddresses")]
    private static partial void PreferringAddresses(ILogger logger, string addresses);

    [LoggerMessage(201, LogLevel.Debug,
        "No listening endpoints were configured. Binding to {Address} by default.",
        EventName = "UsingDefault")]
    private static partial void UsingDefault(ILogger logger, string address);

    [LoggerMessage(202, LogLevel.Information,
        "Unable to bind to {Display} on the loopback address {Address}: '{Reason}'.",
        EventName = "LoopbackMissing")]
    private static partial void LoopbackMissing(ILogger logger, string display, IPAddress address, string reason);
}
