// An ASP.NET app on Asgi.Server at a free port, for one test. The app runs where the server calls it.

using System.Net;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests;

internal sealed class AppHost : IAsyncDisposable
{
    // Long enough for a loaded machine; no test waits it out unless it fails.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private AppHost(WebApplication application) => Application = application;

    public WebApplication Application { get; }

    /// <summary>Where it listens; not set for a unix socket.</summary>
    public IPEndPoint EndPoint { get; private set; } = null!;

    public static async Task<AppHost> StartAsync(
        RequestDelegate app,
        Action<AsgiServerOptions>? options = null,
        ILoggerProvider? logs = null,
        TimeSpan? shutdownTimeout = null,
        LogLevel minimum = LogLevel.Information)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseAsgiServer(options ?? (_ => { })).UseUrls("http://127.0.0.1:0");
        if (shutdownTimeout is { } timeout)
            builder.WebHost.UseShutdownTimeout(timeout);
        if (logs is not null)
            builder.Logging.AddProvider(logs).SetMinimumLevel(minimum);

        var host = new AppHost(builder.Build());
        host.Application.Run(context => context.Request.Path == RawClient.ProbePath ? Task.CompletedTask : app(context));
        await host.Application.StartAsync().WaitAsync(Patience);
        var address = host.Application.Urls.Single();
        if (!address.StartsWith("http://unix:", StringComparison.Ordinal))
            host.EndPoint = Addresses.EndPointOf(address);
        return host;
    }

    /// <summary>One request with this app on a server of its own.</summary>
    public static async Task<RawExchange> ExchangeAsync(string request, RequestDelegate app, Action<AsgiServerOptions>? options = null)
    {
        await using var host = await StartAsync(app, options);
        return await RawClient.ExchangeAsync(host.EndPoint, request);
    }

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint);

    /// <summary>Stops as a host does on SIGTERM.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) =>
        Application.StopAsync(cancellationToken).WaitAsync(Patience, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        // A test that left a connection half-way must not hold up the others: what is open is aborted.
        await Application.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Patience);
        await Application.DisposeAsync();
    }
}
