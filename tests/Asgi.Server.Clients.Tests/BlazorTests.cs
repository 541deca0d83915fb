// Blazor Server: a page, its circuit, and what becomes of it when the network or the server goes.

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Clients.Tests;

public sealed class BlazorTests
{
    // Circuits speak a binary protocol, which server-sent events do not carry.
    public static TheoryData<ServerKind, HttpTransportType> All => new()
    {
        { ServerKind.Kestrel, HttpTransportType.WebSockets },
        { ServerKind.Kestrel, HttpTransportType.LongPolling },
        { ServerKind.Asgi, HttpTransportType.WebSockets },
        { ServerKind.Asgi, HttpTransportType.LongPolling },
    };

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_click_counts(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await CircuitClient.OpenAsync(server, transport);
        Assert.Contains("<p>Current count: 0</p>", client.Html, StringComparison.Ordinal);
        await client.SeeAsync("Current count: 0");

        for (var count = 1; count <= 3; count++)
        {
            await client.ClickAsync();
            await client.SeeAsync($"Current count: {count}");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Circuits_do_not_mix(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);

        await Task.WhenAll(Enumerable.Range(1, 8).Select(async clicks =>
        {
            await using var client = await CircuitClient.OpenAsync(server, transport);
            for (var count = 1; count <= clicks; count++)
            {
                await client.ClickAsync();
                await client.SeeAsync($"Current count: {count}");
            }
        }));
    }

    [Theory]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.Asgi)]
    public async Task A_dropped_circuit_is_taken_up_again_with_its_state(ServerKind kind)
    {
        await using var server = await StartAsync(kind);
        await using var client = await CircuitClient.OpenAsync(server, HttpTransportType.WebSockets);
        await client.ClickAsync();
        await client.SeeAsync("Current count: 1");

        client.Drop();
        await client.Closed;
        Assert.True(await client.ReconnectAsync());
        await client.ClickAsync();

        await client.SeeAsync("Current count: 2");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task At_the_stop_the_circuit_ends_before_the_deadline(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await CircuitClient.OpenAsync(server, transport);
        await client.SeeAsync("Current count: 0");

        await server.StopAsync();

        await client.Closed;
    }

    private static Task<AppServer> StartAsync(ServerKind kind) => AppServer.StartAsync(
        kind,
        application =>
        {
            application.UseAntiforgery();
            application.MapRazorComponents<CounterApp>().AddInteractiveServerRenderMode();
        },
        builder =>
        {
            builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
            builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        },
        // Longer than a test's patience: a stop that needs its deadline fails.
        shutdownTimeout: TimeSpan.FromMinutes(5));
}
