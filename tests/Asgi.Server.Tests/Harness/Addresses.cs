// Addresses of test servers: what is asked for, and where it led.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Asgi.Server.Tests;

internal static class Addresses
{
    /// <summary>A free port of 127.0.0.1.</summary>
    public const string Loopback = "http://127.0.0.1:0";

    public static IServerAddressesFeature GetAddresses(this AsgiServer server) => server.Features.Get<IServerAddressesFeature>()!;

    /// <summary>Where a client on this machine reaches what is shown as this address.</summary>
    public static IPEndPoint EndPointOf(string address)
    {
        var uri = new Uri(address);
        return new IPEndPoint(uri.Host == "[::1]" ? IPAddress.IPv6Loopback : IPAddress.Loopback, uri.Port);
    }

    /// <summary>A port that was free on all addresses a moment ago, for what cannot be asked to choose one.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public static string Text(this int port) => port.ToString(CultureInfo.InvariantCulture);

    /// <summary>A path for a unix socket that does not exist yet.</summary>
    public static string NewSocketPath() => Path.Combine(Path.GetTempPath(), $"asgi-{Guid.NewGuid():N}.sock");
}
