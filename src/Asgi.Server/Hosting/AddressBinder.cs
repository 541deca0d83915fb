// Binds endpoints: one socket address or both loopback ones, IPv4 where there is no IPv6, unix sockets in the place of stale ones,
// inherited handles. Used by ServedEndpoints on the host's threads.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

/// <summary>What is bound for an endpoint, with the address it is shown by.</summary>
/// <param name="Endpoint">Its listeners.</param>
/// <param name="Display">The address.</param>
/// <param name="SocketPath">The file of a unix socket; null if there is none.</param>
/// <param name="SocketFile">What tells the file from another; null where the system does not tell.</param>
internal sealed record BoundAddress(BoundEndpoint Endpoint, string Display, string? SocketPath, FileIdentity? SocketFile)
{
    /// <summary>Before the listener is closed: while it is open its file cannot be mistaken for another's.</summary>
    public void RemoveSocketFile()
    {
        if (SocketPath is not null)
        {
            UnixSocketFile.RemoveOwn(SocketPath, SocketFile);
        }
    }

    /// <summary>Closes what no loop has started.</summary>
    public void CloseUnstarted()
    {
        RemoveSocketFile();
        Endpoint.CloseUnstarted();
    }
}

internal sealed partial class AddressBinder(LoopGroup group, ILogger logger)
{
    /// <summary>Binds an endpoint: to one address, or two for localhost.</summary>
    /// <exception cref="IOException">An address is in use.</exception>
    /// <exception cref="InvalidOperationException">The endpoint cannot be what it is asked to be.</exception>
    /// <exception cref="SocketException">Any other refusal of the operating system. In every case nothing stays bound.</exception>
    public IReadOnlyList<BoundAddress> Bind(ListenOptions endpoint)
    {
        TellOfProtocols(endpoint);
        if (endpoint.LocalhostName is not null)
        {
            return BindLocalhost(endpoint);
        }

        try
        {
            return [BindOne(endpoint.EndPoint, endpoint, display: null)];
        }
        catch (SocketException) when (endpoint.IPEndPoint is { } ip && ip.Address.Equals(IPAddress.IPv6Any))
        {
            // No IPv6 on this system.
            return [BindOne(new IPEndPoint(IPAddress.Any, ip.Port), endpoint, display: null)];
        }
    }

    private List<BoundAddress> BindLocalhost(ListenOptions endpoint)
    {
        var port = endpoint.IPEndPoint!.Port;
        if (port == 0)
        {
            throw new InvalidOperationException(
                "Dynamic port binding is not supported when binding to localhost. "
                + "You must either bind to 127.0.0.1:0 or [::1]:0, or both.");
        }

        List<Exception> failures = [];
        List<BoundAddress> bound = [];
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                bound.Add(BindOne(new IPEndPoint(address, port), endpoint, endpoint.Display));
            }
            catch (SocketException exception)
            {
                LoopbackMissing(logger, endpoint.Display, address, exception.Message);
                failures.Add(exception);
            }
            catch (IOException)
            {
                // In use is in use, also by one of both.
                bound.ForEach(static one => one.CloseUnstarted());
                throw;
            }
        }

        return bound.Count > 0
            ? bound
            : throw new IOException($"Failed to bind to address {endpoint.Display}.", new AggregateException(failures));
    }

    private BoundAddress BindOne(EndPoint endPoint, ListenOptions endpoint, string? display)
    {
        try
        {
            var bound = BindSocket(endPoint, endpoint);
            var isHandle = endPoint is FileHandleEndPoint;
            var path = isHandle ? null : UnixSocketFile.PathOf(endPoint);
            return new BoundAddress(
                bound,
                display ?? EndpointAddress.Display(isHandle ? endPoint : bound.LocalEndPoint, endpoint.IsTls),
                path,
                path is null ? null : UnixSocketFile.Identify(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new IOException(
                $"Failed to bind to address {display ?? EndpointAddress.Display(endPoint, endpoint.IsTls)}: address already in use.",
                new AddressInUseException(exception.Message, exception));
        }
    }

    private BoundEndpoint BindSocket(EndPoint endPoint, ListenOptions endpoint)
    {
        if (endPoint is FileHandleEndPoint { FileHandle: var handle })
        {
            return group.Adopt(handle);
        }

        try
        {
            return group.Bind(endPoint, endpoint.Backlog, endpoint.UnixSocketMode);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse
            && UnixSocketFile.PathOf(endPoint) is { } path
            && UnixSocketFile.TryRemoveStale(path))
        {
            StaleSocketRemoved(logger, path);
            return group.Bind(endPoint, endpoint.Backlog, endpoint.UnixSocketMode);
        }
    }

    // Only who has asked for more is told that there is less.
    private void TellOfProtocols(ListenOptions endpoint)
    {
        if (endpoint is { IsTls: false, DetectHttp2: false, ProtocolsSet: { } asked } && asked.HasFlag(HttpProtocols.Http1AndHttp2))
        {
            Http2Disabled(logger, endpoint.Display);
        }

        if (endpoint.ProtocolsSet?.HasFlag(HttpProtocols.Http3) == true)
        {
            Http3Disabled(logger, endpoint.Display);
        }
    }

    [LoggerMessage(64, LogLevel.Warning,
        "HTTP/2 is not served on {Endpoint}: beside HTTP/1.1 it needs TLS or DetectHttp2. Connections use HTTP/1.1.",
        EventName = "Http2DisabledWithHttp1AndNoTls")]
    private static partial void Http2Disabled(ILogger logger, string endpoint);

    [LoggerMessage(65, LogLevel.Warning,
        "HTTP/3 is not served on {Endpoint}. Connections use what else the endpoint allows.",
        EventName = "Http3DisabledWithHttp1AndNoTls")]
    private static partial void Http3Disabled(ILogger logger, string endpoint);

    [LoggerMessage(202, LogLevel.Information,
        "Unable to bind to {Display} on the loopback address {Address}: '{Reason}'.",
        EventName = "LoopbackMissing")]
    private static partial void LoopbackMissing(ILogger logger, string display, IPAddress address, string reason);

    [LoggerMessage(205, LogLevel.Information,
        "Removed the socket file {Path}, on which nobody listened.",
        EventName = "StaleSocketRemoved")]
    private static partial void StaleSocketRemoved(ILogger logger, string path);
}
