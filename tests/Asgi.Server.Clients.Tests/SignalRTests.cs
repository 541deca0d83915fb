// SignalR's hubs with .NET's hub client over each of the three transports.

using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Clients.Tests;

public sealed class SignalRTests
{
    public static TheoryData<ServerKind, HttpTransportType> All
    {
        get
        {
            var data = new TheoryData<ServerKind, HttpTransportType>();
            foreach (var kind in new[] { ServerKind.Kestrel, ServerKind.Asgi })
                foreach (var transport in Enum.GetValues<HttpTransportType>().Where(type => type != HttpTransportType.None))
                    data.Add(kind, transport);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Methods_are_called_both_ways(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = Create(server, transport);
        var heard = Channel.CreateUnbounded<string>();
        client.On<string>("Hear", text => heard.Writer.WriteAsync(text).AsTask());
        client.On("Ask", (string question) => Task.FromResult(question + "!"));
        await client.StartAsync().WaitAsync(ClientProcess.Patience);

        Assert.Equal("hello", await client.InvokeAsync<string>(nameof(TestHub.Echo), "hello"));
        await client.SendAsync(nameof(TestHub.Tell), "everybody");
        Assert.Equal("everybody", await heard.Reader.ReadAsync().AsTask().WaitAsync(ClientProcess.Patience));
        var hub = server.Get<IHubContext<TestHub>>();
        var id = await client.InvokeAsync<string>(nameof(TestHub.Id));
        Assert.Equal("you?!", await hub.Clients.Client(id).InvokeAsync<string>("Ask", "you?", default));
        var error = await Assert.ThrowsAsync<HubException>(() => client.InvokeAsync(nameof(TestHub.Fail)));
        Assert.Contains("on purpose", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Items_stream_both_ways_at_once(ServerKind kind, HttpTransportType transport)
    {
        const int Count = 200;
        await using var server = await StartAsync(kind);
        await using var client = await ConnectAsync(server, transport);

        var down = await ToListAsync(client.StreamAsync<int>(nameof(TestHub.Count), Count));
        var sum = await client.InvokeAsync<int>(nameof(TestHub.Sum), TestHub.CountAsync(Count));
        var doubled = await ToListAsync(client.StreamAsync<int>(nameof(TestHub.Double), TestHub.CountAsync(Count)));

        Assert.Equal(Enumerable.Range(0, Count), down);
        Assert.Equal(Enumerable.Range(0, Count).Sum(), sum);
        Assert.Equal(Enumerable.Range(0, Count).Select(item => item * 2), doubled);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_stream_may_be_given_up(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await ConnectAsync(server, transport);

        using var enough = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var item in client.StreamAsync<int>(nameof(TestHub.CountAndWait), enough.Token))
            {
                if (item == 10)
                    await enough.CancelAsync();
            }
        });

        await server.Get<TestHub.Events>().WaitAsync("stream cancelled");
        Assert.Equal("still here", await client.InvokeAsync<string>(nameof(TestHub.Echo), "still here"));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_message_may_have_a_mebibyte(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await ConnectAsync(server, transport);
        var message = string.Create(1024 * 1024, 0, (text, _) =>
        {
            for (var index = 0; index < text.Length; index++)
                text[index] = (char)('a' + index % 26);
        });

        Assert.Equal(message, await client.InvokeAsync<string>(nameof(TestHub.Echo), message));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Everybody_hears_a_broadcast_in_order(ServerKind kind, HttpTransportType transport)
    {
        const int Clients = 16, Messages = 20;
        await using var server = await StartAsync(kind);
        var listeners = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            var client = Create(server, transport);
            var heard = Channel.CreateUnbounded<string>();
            client.On<string>("Hear", text => heard.Writer.TryWrite(text));
            await client.StartAsync().WaitAsync(ClientProcess.Patience);
            return (client, heard);
        }));

        for (var message = 0; message < Messages; message++)
            await listeners[0].client.InvokeAsync(nameof(TestHub.Tell), $"{message}");

        foreach (var (client, heard) in listeners)
        {
            for (var message = 0; message < Messages; message++)
                Assert.Equal($"{message}", await heard.Reader.ReadAsync().AsTask().WaitAsync(ClientProcess.Patience));
            await client.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task The_hub_learns_that_a_client_has_left(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await ConnectAsync(server, transport);

        await client.StopAsync();

        await server.Get<TestHub.Events>().WaitAsync("disconnected");
    }

    [Theory]
    [InlineData(ServerKind.Kestrel, HttpTransportType.WebSockets)]
    [InlineData(ServerKind.Kestrel, HttpTransportType.ServerSentEvents)]
    [InlineData(ServerKind.Asgi, HttpTransportType.WebSockets)]
    [InlineData(ServerKind.Asgi, HttpTransportType.ServerSentEvents)]
    public async Task A_dropped_connection_is_seen_and_made_again(ServerKind kind, HttpTransportType type)
    {
        await using var server = await StartAsync(kind);
        var transport = new HubTransports(type);
        await using var client = Create(server, transport);
        var reconnected = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.Reconnected += id =>
        {
            reconnected.SetResult(id);
            return Task.CompletedTask;
        };
        await client.StartAsync().WaitAsync(ClientProcess.Patience);
        var before = await client.InvokeAsync<string>(nameof(TestHub.Id));

        transport.Last!.Drop();
        await reconnected.Task.WaitAsync(ClientProcess.Patience);

        await server.Get<TestHub.Events>().WaitAsync("disconnected");
        Assert.NotEqual(before, await client.InvokeAsync<string>(nameof(TestHub.Id)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task The_hub_may_send_a_client_away(ServerKind kind, HttpTransportType transport)
    {
        await using var server = await StartAsync(kind);
        await using var client = await ConnectAsync(server, transport);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.Closed += _ =>
        {
            closed.SetResult();
            return Task.CompletedTask;
        };

        await client.SendAsync(nameof(TestHub.Leave));

        await closed.Task.WaitAsync(ClientProcess.Patience);
        await server.Get<TestHub.Events>().WaitAsync("disconnected");
    }

    // Kestrel waits for its upgraded connections as long as the host lets it.
    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task At_the_stop_all_clients_are_let_go_before_the_deadline(HttpTransportType transport)
    {
        await using var server = await StartAsync(ServerKind.Asgi);
        // One that comes again might do so between the end of its connection and that of the listener, after SignalR has ended the others.
        await using var client = Create(server, new HubTransports(transport), reconnects: false);
        await client.StartAsync().WaitAsync(ClientProcess.Patience);

        await server.StopAsync();

        await server.Get<TestHub.Events>().WaitAsync("disconnected");
    }

    private static Task<AppServer> StartAsync(ServerKind kind) => AppServer.StartAsync(
        kind,
        application => application.MapHub<TestHub>("/hub", options =>
        {
            // One mebibyte in one piece.
            options.ApplicationMaxBufferSize = 0;
            options.TransportMaxBufferSize = 0;
        }),
        builder =>
        {
            builder.Services.AddSingleton<TestHub.Events>();
            builder.Services.AddSignalR(options =>
            {
                options.EnableDetailedErrors = true;
                options.MaximumReceiveMessageSize = null;
            });
        },
        // Longer than a test's patience: a stop that needs its deadline fails.
        shutdownTimeout: TimeSpan.FromMinutes(5));

    private static async Task<HubConnection> ConnectAsync(AppServer server, HttpTransportType transport)
    {
        var client = Create(server, transport);
        await client.StartAsync().WaitAsync(ClientProcess.Patience);
        return client;
    }

    private static HubConnection Create(AppServer server, HttpTransportType transport) => Create(server, new HubTransports(transport));

    private static HubConnection Create(AppServer server, HubTransports transport, bool reconnects = true)
    {
        var builder = new HubConnectionBuilder().WithAutomaticReconnect(reconnects ? [TimeSpan.Zero] : []);
        builder.Services.AddSingleton<IConnectionFactory>(transport);
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(new Uri(server.Address, "hub")));
        return builder.Build();
    }

    private static async Task<List<int>> ToListAsync(IAsyncEnumerable<int> items)
    {
        var list = new List<int>();
        await foreach (var item in items)
            list.Add(item);
        return list;
    }
}

internal sealed class TestHub(TestHub.Events events) : Hub
{
    /// <summary>What happened, for the test that waits for it.</summary>
    internal sealed class Events
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _seen = new();

        public void Add(string what) => Of(what).TrySetResult();

        public Task WaitAsync(string what) => Of(what).Task.WaitAsync(ClientProcess.Patience);

        private TaskCompletionSource Of(string what) =>
            _seen.GetOrAdd(what, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public string Id() => Context.ConnectionId;

    public string Echo(string text) => text;

    public void Fail() => throw new HubException("on purpose");

    public void Leave() => Context.Abort();

    public Task Tell(string text) => Clients.All.SendAsync("Hear", text);

    public IAsyncEnumerable<int> Count(int count) => CountAsync(count);

    public async IAsyncEnumerable<int> CountAndWait([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            for (var item = 0; ; item++)
            {
                yield return item;
                if (item == 10)
                    await Task.Delay(Timeout.Infinite, cancellationToken);
            }
        }
        finally
        {
            events.Add("stream cancelled");
        }
    }

    public async Task<int> Sum(IAsyncEnumerable<int> items)
    {
        var sum = 0;
        await foreach (var item in items)
            sum += item;
        return sum;
    }

    public async IAsyncEnumerable<int> Double(IAsyncEnumerable<int> items)
    {
        await foreach (var item in items)
            yield return item * 2;
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        events.Add("disconnected");
        return Task.CompletedTask;
    }

    internal static async IAsyncEnumerable<int> CountAsync(int count)
    {
        for (var item = 0; item < count; item++)
        {
            await Task.Yield();
            yield return item;
        }
    }
}
