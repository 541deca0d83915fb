// How an app on Asgi.Server is tested with WebApplicationFactory: in memory, where the test server takes the place of any other, and on
// the real server at a free port, for what only bytes on a connection show. The example of the README; the app is the sample.

using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Hosting;

namespace Asgi.Server.Apps.Tests;

public sealed class InMemoryTests(WebApplicationFactory<Program> factory) : IClassFixture<WebApplicationFactory<Program>>
{
    [Fact]
    public async Task Says_hello()
    {
        using var client = factory.CreateClient();

        Assert.Equal("Hello, World!", await client.GetStringAsync(new Uri("/plaintext", UriKind.Relative)));
    }
}

public sealed class OnTheServerTests(ServerFactory factory) : IClassFixture<ServerFactory>
{
    [Fact]
    public async Task Says_hello()
    {
        using var client = factory.CreateClient();
        using var response = await client.GetAsync(new Uri("/plaintext", UriKind.Relative));

        Assert.Equal("Hello, World!", await response.Content.ReadAsStringAsync());
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
        Assert.NotEqual(0, client.BaseAddress!.Port);
    }

    // TestHost has no chunks to look at.
    [Fact]
    public async Task Streams_in_chunks()
    {
        using var client = factory.CreateClient();
        using var response = await client.GetAsync(new Uri("/stream", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Headers.TransferEncodingChunked);
    }
}

/// <summary>The app on Asgi.Server at a free port of loopback.</summary>
public sealed class ServerFactory : WebApplicationFactory<Program>
{
    public ServerFactory()
    {
        UseKestrel(); // the factory's word for "on sockets"
        StartServer();
    }

    // The server registered last wins: over the factory's Kestrel, too.
    protected override IHost CreateHost(IHostBuilder builder) =>
        base.CreateHost(builder.ConfigureWebHost(web => web.UseAsgiServer().UseUrls("http://127.0.0.1:0")));
}
