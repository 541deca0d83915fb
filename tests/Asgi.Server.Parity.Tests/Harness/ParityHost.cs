// One running server and the app on it, which each test replaces. Made by ParityHosts; the app runs where its server calls it.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Parity.Tests;

public sealed class ParityHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private RequestDelegate _app = NoApp;
    private int _connections;

    private ParityHost(HostKind kind, WebApplication application)
    {
        Kind = kind;
        _application = application;
    }

    public HostKind Kind { get; }

    /// <summary>Does not follow redirects, decompress or keep cookies: it shows what the server said.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>How many connections the client has opened.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    internal IPEndPoint EndPoint { get; private set; } = null!;

    internal TestServer? TestServer => _application.Services.GetRequiredService<IServer>() as TestServer;

    internal static async Task<ParityHost> StartAsync(
        HostKind kind, Action<WebApplicationBuilder> services, Action<WebApplication> pipeline)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        UseServer(builder.WebHost, kind);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        services(builder);

        var application = builder.Build();
        var host = new ParityHost(kind, application);
        pipeline(application);
        application.Use((context, next) => context.GetEndpoint() is null ? host.RunAsync(context) : next(context));
        await application.StartAsync().WaitAsync(Hosts.Patience);
        host.Connect();
        return host;
    }

    /// <summary>The app of the running test.</summary>
    internal ParityHost With(RequestDelegate app)
    {
        _app = app;
        return this;
    }

    /// <summary>
    /// Runs the app for one raw request and asserts nothing of the response. With HTTP/2 it is what a client of that version makes of it.
    /// </summary>
    internal Task<RawExchange> ExchangeAsync(string request) =>
        Kind.IsHttp2() ? Http2Exchange.RunAsync(this, request) : RawClient.ExchangeAsync(EndPoint, request);

    /// <summary>A plain GET on its own connection.</summary>
    internal Task<RawExchange> GetAsync(string target = "/") => ExchangeAsync($"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    internal Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint);

    /// <summary>Stops as a host does on SIGTERM: what runs may finish.</summary>
    internal Task StopAsync() => _application.StopAsync().WaitAsync(Hosts.Patience);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        // A test that left a connection half-way must not hold up the others: what is open is aborted.
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private Task RunAsync(HttpContext context) => context.Request.Path == RawClient.ProbePath ? Task.CompletedTask : _app(context);

    // The one place that names the servers.
    private static void UseServer(IWebHostBuilder web, HostKind kind) => _ = kind switch
    {
        HostKind.TestHost => web.UseTestServer(),
        HostKind.Kestrel => web.UseKestrelCore(),
        HostKind.KestrelHttp2 => web.UseKestrelCore().ConfigureKestrel(
            options => options.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)),
        HostKind.Asgi => web.UseAsgiServer(),
        HostKind.AsgiHttp2 => web.UseAsgiServer(
            options => options.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such host"),
    };

    private void Connect()
    {
        if (TestServer is { } server)
        {
            Client = server.CreateClient();
        }
        else
        {
            var address = new Uri(_application.Urls.Single());
            EndPoint = new IPEndPoint(IPAddress.Loopback, address.Port);
            var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectCallback = ConnectAsync };
            Client = new HttpClient(Kind.IsHttp2() ? new PriorKnowledge(handler) : handler) { BaseAddress = address };
        }
        Client.Timeout = Hosts.Patience;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint, cancellationToken);
        Interlocked.Increment(ref _connections);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static Task NoApp(HttpContext context) => throw new InvalidOperationException("the test set no app");

    // A request has the version it was made with, whatever the client's default is.
    private sealed class PriorKnowledge(SocketsHttpHandler handler) : DelegatingHandler(handler)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
