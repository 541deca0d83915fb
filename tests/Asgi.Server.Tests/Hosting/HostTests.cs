// The one line under every way to build a host, and in the factory that integration tests use.

using System.Net;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Tests.Hosting.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class HostTests
{
    [Fact]
    public Task The_web_application_builder() => AssertServesAsync(WebApplication.CreateBuilder());

    [Fact]
    public Task The_slim_builder() => AssertServesAsync(WebApplication.CreateSlimBuilder());

    [Fact]
    public Task The_empty_builder() => AssertServesAsync(WebApplication.CreateEmptyBuilder(new WebApplicationOptions()));

    [Fact]
    public async Task The_generic_host()
    {
        using var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .ConfigureWebHostDefaults(web => web
                .UseAsgiServer()
                .UseUrls(Addresses.Loopback)
                .Configure(app => app.Run(context => context.Response.WriteAsync("hosted"))))
            .Build();
        await host.StartAsync();

        await AssertHostedAsync(host.Services);
        await host.StopAsync();
    }

    [Fact]
    public async Task Options_come_from_the_lambda_and_the_services_in_order()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.Configure<AsgiServerOptions>(options => options.LoopCount = 3);
        builder.WebHost.UseAsgiServer(options =>
        {
            Assert.Equal(3, options.LoopCount);
            options.LoopCount = 1;
            options.AddServerHeader = false;
            options.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.Configure<AsgiServerOptions>(options => Assert.Equal(1, options.LoopCount));
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("hosted"));
        await app.StartAsync();

        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri(app.Urls.Single()));

        Assert.Equal("hosted", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public void The_last_server_registered_is_the_one()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseAsgiServer().UseAsgiServer().UseTestServer();
        Assert.IsType<TestServer>(builder.Build().Services.GetRequiredService<IServer>());

        builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer().UseAsgiServer();
        Assert.IsType<AsgiServer>(builder.Build().Services.GetRequiredService<IServer>());
    }

    [Fact]
    public async Task A_server_that_was_never_started_is_disposed_of_with_its_host()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseAsgiServer();
        await using var app = builder.Build();

        Assert.IsType<AsgiServer>(app.Services.GetRequiredService<IServer>());
    }

    [Fact]
    public async Task In_a_web_application_factory_the_test_server_wins()
    {
        await using var factory = new WebApplicationFactory<Program>();
        using var client = factory.CreateClient();

        Assert.Equal("Hello, World!", await client.GetStringAsync(new Uri("/plaintext", UriKind.Relative)));
        Assert.IsType<TestServer>(factory.Services.GetRequiredService<IServer>());
    }

    [Fact]
    public async Task A_web_application_factory_can_run_the_app_on_sockets()
    {
        await using var factory = new SocketFactory();
        factory.UseKestrel();
        factory.StartServer();
        var server = Assert.IsType<AsgiServer>(factory.Services.GetRequiredService<IServer>());
        using var client = factory.CreateClient();
        using var response = await client.GetAsync(new Uri("/plaintext", UriKind.Relative));

        Assert.Equal(new Uri(server.GetAddresses().Addresses.Single()), client.BaseAddress);
        Assert.Equal("Hello, World!", await response.Content.ReadAsStringAsync());
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
    }

    [Fact]
    public async Task An_https_address_has_the_certificate_that_the_environment_names()
    {
        // A prefix of its own: the environment is that of all tests.
        const string Name = "HOSTTESTS_AsgiServer__Certificates__Default__Path";
        var path = Path.GetTempFileName();
        TestCertificates.WritePfx(TestCertificates.Rsa, path, null);
        Environment.SetEnvironmentVariable(Name, path);
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Configuration.AddEnvironmentVariables("HOSTTESTS_");
            builder.WebHost.UseAsgiServer().UseUrls("https://127.0.0.1:0");
            builder.Logging.ClearProviders();
            await using var app = builder.Build();
            app.Run(context => context.Response.WriteAsync("hosted"));
            await app.StartAsync();

            Assert.StartsWith("https://127.0.0.1:", app.Urls.Single(), StringComparison.Ordinal);
            await using var client = await TlsClient.ConnectAsync(Addresses.EndPointOf(app.Urls.Single()), "localhost");
            Assert.Equal(TestCertificates.Rsa.Thumbprint, client.Certificate!.Thumbprint);
            await app.StopAsync();
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, null);
            File.Delete(path);
        }
    }

    // UseKestrel is the factory's word for sockets; the server registered last, here, is whose.
    private sealed class SocketFactory : WebApplicationFactory<Program>
    {
        protected override IHost CreateHost(IHostBuilder builder) =>
            base.CreateHost(builder.ConfigureWebHost(web => web.UseAsgiServer().UseUrls(Addresses.Loopback)));
    }

    private static async Task AssertServesAsync(WebApplicationBuilder builder)
    {
        builder.WebHost.UseAsgiServer().UseUrls(Addresses.Loopback);
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("hosted"));
        await app.StartAsync();

        await AssertHostedAsync(app.Services);
    }

    private static async Task AssertHostedAsync(IServiceProvider services)
    {
        var server = Assert.IsType<AsgiServer>(services.GetRequiredService<IServer>());
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri(server.GetAddresses().Addresses.Single()));

        Assert.Equal("hosted", await response.Content.ReadAsStringAsync());
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
    }
}
