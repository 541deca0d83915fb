// A real app on a real server at a free port, in the test's own process so that a test can look into it. The same app runs on Kestrel,
// which proves the test itself. Made by tests; the app runs where its server calls it.

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Clients.Tests;

public enum ServerKind
{
    Kestrel,
    Asgi,
}

internal sealed class AppServer : IAsyncDisposable
{
    private AppServer(WebApplication application)
    {
        Application = application;
        Address = new Uri(application.Urls.Single());
    }

    public static TheoryData<ServerKind> Kinds => [ServerKind.Kestrel, ServerKind.Asgi];

    public WebApplication Application { get; }

    public Uri Address { get; }

    public Uri WebSocketAddress => new UriBuilder(Address) { Scheme = Address.Scheme == "https" ? "wss" : "ws" }.Uri;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    // With TLS the endpoint has both versions of HTTP.
    public static async Task<AppServer> StartAsync(
        ServerKind kind,
        Action<WebApplication> pipeline,
        Action<WebApplicationBuilder>? services = null,
        TimeSpan? shutdownTimeout = null,
        Offer offer = Offer.Http1)
    {
        // The slim builder brings routing and Kestrel; a server registered later wins.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        if (kind == ServerKind.Asgi)
            builder.WebHost.UseAsgiServer();
        Listen(builder, offer);
        builder.Logging.ClearProviders();
        if (shutdownTimeout is { } timeout)
            builder.WebHost.UseShutdownTimeout(timeout);
        services?.Invoke(builder);

        var application = builder.Build();
        pipeline(application);
        await application.StartAsync().WaitAsync(ClientProcess.Patience);
        return new AppServer(application);
    }

    public T Get<T>()
        where T : notnull => Application.Services.GetRequiredService<T>();

    /// <summary>Stops as a host does on SIGTERM.</summary>
    public Task StopAsync() => Application.StopAsync().WaitAsync(ClientProcess.Patience);

    public async ValueTask DisposeAsync()
    {
        // A test that left a connection open must not hold up the others: what is open is aborted.
        await Application.StopAsync(new CancellationToken(canceled: true)).WaitAsync(ClientProcess.Patience);
        await Application.DisposeAsync();
    }

    // By the configuration, whose keys both servers share.
    private static void Listen(WebApplicationBuilder builder, Offer offer)
    {
        const string Endpoint = "Kestrel:Endpoints:Test:";
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Configuration[Endpoint + "Url"] = offer.HasTls() ? "https://127.0.0.1:0" : "http://127.0.0.1:0";
        builder.Configuration[Endpoint + "Protocols"] = offer switch
        {
            Offer.Http1 => "Http1",
            Offer.Http2 => "Http2",
            _ => "Http1AndHttp2",
        };
        if (offer.HasTls())
        {
            builder.Configuration[Endpoint + "Certificate:Path"] = ServedCertificate.CertificateFile;
            builder.Configuration[Endpoint + "Certificate:KeyPath"] = ServedCertificate.KeyFile;
        }
    }
}
