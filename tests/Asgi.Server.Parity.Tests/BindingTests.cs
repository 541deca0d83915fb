// Where both servers listen and what they show of it, or why they refuse: for each form of an address, and for endpoints of a configuration
// section. A port that was chosen is shown as N.

using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Parity.Tests;

public sealed partial class BindingTests
{
    private static readonly (string, string)[] s_addresses =
    [
        ("http://127.0.0.1:0", "http://127.0.0.1:N"),
        ("HTTP://127.0.0.1:0/", "http://127.0.0.1:N"),
        ("http://[::1]:0", "http://[::1]:N"),
        ("http://0.0.0.0:0", "http://0.0.0.0:N"),
        ("http://[::]:0", "http://[::]:N"),
        ("http://*:0", "http://[::]:N"),
        ("http://+:0", "http://[::]:N"),
        ("http://example.com:0", "http://[::]:N"),
        ("http://localhost:0", "InvalidOperationException"),
        ("http://app.localhost:0", "InvalidOperationException"),
        ("http://127.0.0.1:0/base", "InvalidOperationException"),
        ("ftp://127.0.0.1:0", "InvalidOperationException"),
        ("127.0.0.1:0", "FormatException"),
        ("http://", "FormatException"),
        ("http://pipe:/name", "PlatformNotSupportedException"),
        ("http://192.0.2.1:0", "SocketException"),
        ("http://localhost:{free}", "http://localhost:{free}"),
        ("http://app.localhost:{free}", "http://app.localhost:{free}"),
        ("http://127.0.0.1:{used}", "IOException: AddressInUseException"),
        ("http://*:{used}", "IOException: AddressInUseException"),
        ("http://unix:{path}", "http://unix:{path}"),
    ];

    // Keys below Kestrel:, separated by commas, and what comes of them. There is an address as well, http://127.0.0.1:0.
    private static readonly (string, string)[] s_sections =
    [
        ("", "http://127.0.0.1:N"),
        ("Endpoints:A:Url=http://[::1]:0", "http://[::1]:N"),
        ("Endpoints:A:Url=http://[::1]:0,Endpoints:B:Url=http://*:0", "http://[::1]:N http://[::]:N"),
        ("Endpoints:A:Url=http://[::1]:0,Endpoints:A:Protocols=Http1", "http://[::1]:N"),
        ("Endpoints:A:Url=http://[::1]:0,Endpoints:A:Protocols=http1andHTTP2", "http://[::1]:N"),
        ("Endpoints:A:Protocols=Http1", "InvalidOperationException"),
        ("Endpoints:A:Url=", "InvalidOperationException"),
        ("Endpoints:A:Url=http://[::1]:0,Endpoints:A:Certificate:Path=a.pfx", "InvalidOperationException"),
        ("Endpoints:A:Url=http://[::1]:0,Endpoints:A:ClientCertificateMode=AllowCertificate", "InvalidOperationException"),
        ("Endpoints:A:Url=http://[::1]:0,EndpointDefaults:SslProtocols:0=Tls13", "http://[::1]:N"),
        ("EndpointDefaults:Protocols=Http1", "http://127.0.0.1:N"),
    ];

    public static TheoryData<HostKind, string, string> Addresses => Hosts.SocketsTimes(s_addresses);

    public static TheoryData<HostKind, string, string> Sections => Hosts.SocketsTimes(s_sections);

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task An_address(HostKind host, string address, string outcome)
    {
        using var used = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        used.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        used.Listen();
        var values = new Dictionary<string, string>
        {
            ["{used}"] = $"{((IPEndPoint)used.LocalEndPoint!).Port}",
            ["{free}"] = $"{FreePort()}",
            ["{path}"] = Path.Combine(Path.GetTempPath(), $"parity-{Guid.NewGuid():N}.sock"),
        };

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseUrls(Fill(address, values));

        Assert.Equal(Fill(outcome, values), await StartAsync(host, builder));
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public async Task A_section(HostKind host, string keys, string outcome)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(
            keys.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(key => key.Split('=')).Select(
                pair => KeyValuePair.Create($"Kestrel:{pair[0]}", (string?)pair[1])));

        Assert.Equal(outcome, await StartAsync(host, builder));
    }

    private static async Task<string> StartAsync(HostKind host, WebApplicationBuilder builder)
    {
        _ = host == HostKind.Kestrel
            ? builder.WebHost.UseKestrelCore().ConfigureKestrel(
                (context, options) => options.Configure(context.Configuration.GetSection("Kestrel")))
            : builder.WebHost.UseAsgiServer();
        await using var app = builder.Build();
        try
        {
            await app.StartAsync().WaitAsync(Hosts.Patience);
        }
        catch (Exception exception)
        {
            return exception.InnerException is null || exception is not IOException
                ? exception.GetType().Name
                : $"{exception.GetType().Name}: {exception.InnerException.GetType().Name}";
        }

        var shown = string.Join(' ', app.Urls.Select(address => Dynamic().Replace(address, "${host}:N")));
        await app.StopAsync().WaitAsync(Hosts.Patience);
        return shown;
    }

    private static string Fill(string text, Dictionary<string, string> values) =>
        values.Aggregate(text, (filled, value) => filled.Replace(value.Key, value.Value, StringComparison.Ordinal));

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    // A port that an address other than localhost has, which the test has left to the system.
    [GeneratedRegex(@"^(?<host>http://(\[[^\]]*\]|[\d.]+)):\d+$")]
    private static partial Regex Dynamic();
}
