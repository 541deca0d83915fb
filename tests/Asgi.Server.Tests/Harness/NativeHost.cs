// A native ASGI application on Asgi.Server at a free port, without ASP.NET and without a host, for one test.

using System.Net;
using Asgi.Server.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests;

/// <summary>An application that is one function, as in Python.</summary>
internal sealed class NativeApplication(Func<HttpExchange, ValueTask> app) : IAsgiApplication
{
    public static NativeApplication Empty { get; } = new(exchange =>
    {
        exchange.Send(new ResponseStart(200));
        return exchange.SendAsync(default);
    });

    public ValueTask RunAsync(HttpExchange exchange) => exchange.Scope.Path == RawClient.ProbePath ? Empty.Run(exchange) : Run(exchange);

    private ValueTask Run(HttpExchange exchange) => app(exchange);
}

internal sealed class NativeHost : IAsyncDisposable
{
    private readonly AsgiServer _server;

    private NativeHost(AsgiServer server) => _server = server;

    public IPEndPoint EndPoint { get; private set; } = null!;

    public static AsgiServer Create(Action<AsgiServerOptions>? configure = null, params string[] addresses)
    {
        var options = new AsgiServerOptions { LoopCount = 1 };
        configure?.Invoke(options);
        var server = new AsgiServer(Options.Create(options), NullLoggerFactory.Instance);
        foreach (var address in addresses)
            server.GetAddresses().Addresses.Add(address);
        return server;
    }

    public static async Task<NativeHost> StartAsync(Func<HttpExchange, ValueTask> app, Action<AsgiServerOptions>? configure = null)
    {
        var host = new NativeHost(Create(configure, Addresses.Loopback));
        await host._server.StartAsync(new NativeApplication(app), CancellationToken.None);
        host.EndPoint = Addresses.EndPointOf(host._server.GetAddresses().Addresses.Single());
        return host;
    }

    /// <summary>One request with this application on a server of its own.</summary>
    public static async Task<RawExchange> ExchangeAsync(string request, Func<HttpExchange, ValueTask> app)
    {
        await using var host = await StartAsync(app);
        return await RawClient.ExchangeAsync(host.EndPoint, request);
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }
}
