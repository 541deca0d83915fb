// Starting, stopping and disposing: in any order a host, a test or a signal brings them.

using Asgi.Server.Testing;

namespace Asgi.Server.Tests.Hosting;

public sealed class LifecycleTests
{
    private static readonly CancellationToken Now = new(canceled: true);

    [Fact]
    public async Task A_server_starts_once()
    {
        using var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        await AddressTests.AssertServesAsync(Addresses.EndPointOf(server.GetAddresses().Addresses.Single()));
    }

    [Fact]
    public async Task A_stopped_server_does_not_start_again()
    {
        using var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        await server.StopAsync(CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    // Nothing would stop it any more: the stop is over.
    [Fact]
    public async Task A_server_that_was_stopped_before_it_started_does_not_start()
    {
        using var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StopAsync(CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    [Fact]
    public async Task A_cancelled_start_starts_nothing()
    {
        var address = $"http://127.0.0.1:{Addresses.FreePort()}";
        using var server = NativeHost.Create(addresses: address);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.StartAsync(NativeApplication.Empty, Now));

        using var next = NativeHost.Create(addresses: address);
        await next.StartAsync(NativeApplication.Empty, CancellationToken.None);
    }

    [Fact]
    public async Task Stop_and_dispose_without_a_start_do_nothing()
    {
        var server = NativeHost.Create(addresses: Addresses.Loopback);

        await server.StopAsync(CancellationToken.None);
        server.Dispose();
        server.Dispose();

        Assert.Equal([Addresses.Loopback], server.GetAddresses().Addresses);
    }

    [Fact]
    public async Task Stop_and_dispose_may_be_repeated()
    {
        var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await server.StopAsync(CancellationToken.None);
        await server.StopAsync(Now);
        server.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task A_second_stop_waits_for_the_first()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var host = await AppHost.StartAsync(async _ =>
        {
            entered.SetResult();
            await leave.Task;
        });
        await using var client = await host.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.WaitAsync(AppHost.Patience);

        var server = (AsgiServer)host.Application.Services.GetService(typeof(Microsoft.AspNetCore.Hosting.Server.IServer))!;
        var first = server.StopAsync(CancellationToken.None);
        var second = server.StopAsync(CancellationToken.None);

        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        leave.SetResult();
        await second.WaitAsync(AppHost.Patience);
        await first.WaitAsync(AppHost.Patience);
        Assert.Equal(200, (await client.ReadResponseAsync())!.Status);
    }

    // A test or a host that gave up waiting disposes: that must not wait for what the first stop waits for.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_without_patience_ends_the_patience_of_the_first(bool isDispose)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var leave = new TaskCompletionSource();
        var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(
            new NativeApplication(async _ =>
            {
                entered.SetResult();
                await leave.Task;
            }),
            CancellationToken.None);
        await using var client = await RawClient.ConnectAsync(Addresses.EndPointOf(server.GetAddresses().Addresses.Single()));
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.WaitAsync(AppHost.Patience);
        var first = server.StopAsync(CancellationToken.None);
        Assert.False(first.IsCompleted);

        await (isDispose ? Task.Run(server.Dispose) : server.StopAsync(Now)).WaitAsync(AppHost.Patience);

        await first.WaitAsync(AppHost.Patience);
        Assert.Null(await client.ReadResponseAsync());
        leave.SetResult();
    }

    [Fact]
    public async Task A_host_may_be_disposed_while_it_serves()
    {
        var host = await AppHost.StartAsync(_ => Task.CompletedTask);
        var endPoint = host.EndPoint;
        await using var client = await host.ConnectAsync();
        Assert.True(await client.ProbeAsync());

        await host.Application.DisposeAsync().AsTask().WaitAsync(AppHost.Patience);

        Assert.Equal("", await client.ReadToEndAsync());
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => RawClient.ConnectAsync(endPoint));
    }

    [Fact]
    public async Task A_server_disposed_while_the_application_waits_aborts_the_connection()
    {
        var entered = new TaskCompletionSource();
        var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(
            new NativeApplication(async exchange =>
            {
                var aborted = new TaskCompletionSource();
                await using var registration = exchange.Disconnected.Register(aborted.SetResult);
                entered.SetResult();
                await aborted.Task;
            }),
            CancellationToken.None);
        await using var client = await RawClient.ConnectAsync(Addresses.EndPointOf(server.GetAddresses().Addresses.Single()));
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.WaitAsync(AppHost.Patience);

        server.Dispose();

        Assert.Null(await client.ReadResponseAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Any_number_of_loops_serves_many_connections(int loops)
    {
        await using var host = await NativeHost.StartAsync(
            exchange =>
            {
                exchange.Send(new ResponseStart(200));
                return exchange.SendAsync(new ResponseBody("here"u8.ToArray()));
            },
            options => options.LoopCount = loops);

        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ =>
            RawClient.ExchangeAsync(host.EndPoint, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")));

        Assert.All(answers, answer => Assert.Equal("here", answer.Answer.Content));
    }
}
