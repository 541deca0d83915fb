// The whole of ASP.NET on a real loop: host, context, routing, endpoint. Hosting allocates some of its own for each request, and what that
// is depends on the version; so the same app is run over bare features in the same test, and the server must add nothing to that.

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class HostingTests
{
    [EpollTheory]
    [InlineData("/plaintext")]
    [InlineData("/items/{id}")] // routing makes a dictionary of it
    public async Task The_server_adds_nothing_to_what_a_mapped_endpoint_costs(string pattern)
    {
        var thread = new LoopThread();
        await using var app = Build(
            builder => builder.UseAsgiServer(LoopThread.Configure).UseUrls("http://127.0.0.1:0"), pattern, thread.NoteRequest);
        await app.StartAsync();

        thread.Drive(
            new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port),
            Messages.Wrk.Replace("/plaintext", pattern, StringComparison.Ordinal));

        await AssertAllocatedAsync(pattern, thread);
    }

    [EpollTheory]
    [InlineData("/plaintext")]
    [InlineData("/items/{id}")]
    public async Task The_server_adds_nothing_over_HTTP2_either(string pattern)
    {
        var thread = new LoopThread();
        await using var app = Build(
            builder => builder.UseAsgiServer(ConfigureHttp2).UseUrls("http://127.0.0.1:0"), pattern, thread.NoteRequest);
        await app.StartAsync();

        thread.DriveHttp2(new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.Single()).Port), pattern);

        await AssertAllocatedAsync(pattern, thread);
    }

    private static void ConfigureHttp2(AsgiServerOptions options)
    {
        LoopThread.Configure(options);
        options.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
    }

    private static async Task AssertAllocatedAsync(string pattern, LoopThread thread)
    {
        var allocated = thread.AllocatedPerRequest();
        Assert.Equal(await BareAllocatedPerRequestAsync(pattern), allocated);
        Assert.Equal(pattern.Contains('{', StringComparison.Ordinal), allocated > 0);
    }

    private static async Task<long> BareAllocatedPerRequestAsync(string pattern)
    {
        var server = new BareServer();
        var thread = new LoopThread();
        await using var app = Build(
            builder => builder.ConfigureServices(services => services.AddSingleton<IServer>(server)), pattern, thread.NoteRequest);
        await app.StartAsync();
        for (var i = 0; i < thread.Count; i++)
        {
            if (server.Run(pattern) != (200, 13))
            {
                Assert.Fail("The app does not answer over bare features.");
            }
        }

        return thread.AllocatedPerRequest();
    }

    private static WebApplication Build(Action<IWebHostBuilder> useServer, string pattern, Action<object> note)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        useServer(builder.WebHost);
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.UseRouting();
        app.UseEndpoints(_ => { });
        app.MapGet(pattern, context =>
        {
            note(context.Features);
            var response = context.Response;
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "text/plain";
            response.ContentLength = 13;
            "Hello, World!"u8.CopyTo(response.BodyWriter.GetSpan(13));
            response.BodyWriter.Advance(13);
            return Task.CompletedTask;
        });
        return app;
    }
}
