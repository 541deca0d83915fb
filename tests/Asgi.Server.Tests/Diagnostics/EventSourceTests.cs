// The event source Asgi-Server: events with Kestrel's ids and names, and the counters that dotnet-counters shows.

using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Asgi.Server.Tests.Connections.Tls;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class EventSourceTests
{
    private static int s_number;

    private readonly string _name = $"Asgi-Server-Test-{Interlocked.Increment(ref s_number)}";

    [Fact]
    public void The_name_is_stable() => Assert.Equal("Asgi-Server", ServerEvents.Log.Name);

    [Fact]
    public void The_manifest_is_sound() =>
        Assert.NotNull(EventSource.GenerateManifest(typeof(ServerEvents), "Asgi.Server.dll", EventManifestOptions.Strict));

    [Fact]
    public void Connections_and_requests_begin_and_end()
    {
        using var source = new ServerEvents(_name);
        using var listener = new Listener(_name);
        using var server = new SimulatedServer(Apps.Path, events: source);
        var client = server.Connect("GET /hello?a HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.0\r\n\r\n");

        Assert.Equal(
            [
                "1 ConnectionStart", "3 RequestStart", "4 RequestStop", "3 RequestStart", "4 RequestStop", "2 ConnectionStop",
            ],
            listener.Events.Select(its => $"{its.EventId} {its.EventName}"));
        var start = listener.Events.First();
        var id = Assert.IsType<string>(start.Payload![0]);
        Assert.Equal([id, start.Payload[1], client.LocalEndPoint.ToString()], start.Payload);
        Assert.StartsWith("127.0.0.1:", (string)start.Payload[1]!, StringComparison.Ordinal);
        var requests = listener.Events.Where(its => its.EventId is 3 or 4).ToArray();
        Assert.Equal([id, $"{id}:00000001", "1.1", "/hello", "GET"], requests[0].Payload);
        Assert.Equal(requests[0].Payload, requests[1].Payload);
        Assert.Equal([id, $"{id}:00000002", "1.0", "/2", "HEAD"], requests[2].Payload);
        Assert.Equal(["connectionId", "requestId", "httpVersion", "path", "method"], requests[0].PayloadNames);
    }

    [Fact]
    public void The_id_of_a_request_is_its_trace_identifier()
    {
        var traces = new List<string>();
        using var source = new ServerEvents(_name);
        using var listener = new Listener(_name);
        using var server = HostedDelegate.Serve(
            context =>
            {
                traces.Add(context.TraceIdentifier);
                return Task.CompletedTask;
            },
            events: source);
        server.Connect(Apps.Get + Apps.Get);

        Assert.Equal(2, traces.Count);
        Assert.Equal(traces, listener.Events.Where(its => its.EventId == 3).Select(its => its.Payload![1]));
    }

    [Fact]
    public void A_rejected_connection_is_told()
    {
        using var source = new ServerEvents(_name);
        using var listener = new Listener(_name);
        using var server = new SimulatedServer(
            Apps.Path, limits: new ConnectionLimits { Connections = new ConcurrencyLimit(0) }, events: source);
        server.Connect();
        server.Run();

        var rejected = Assert.Single(listener.Events);
        Assert.Equal((5, "ConnectionRejected"), (rejected.EventId, rejected.EventName));
    }

    [Fact]
    public void A_listener_that_comes_within_a_request_hears_the_end_of_the_connection_only()
    {
        var end = new TaskCompletionSource();
        using var source = new ServerEvents(_name);
        using var server = new SimulatedServer(
            async exchange =>
            {
                await end.Task;
                await Apps.Path(exchange);
            },
            events: source);
        server.Connect("GET / HTTP/1.0\r\n\r\n");
        using var listener = new Listener(_name);
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal(["ConnectionStop"], listener.Events.Select(its => its.EventName));
    }

    [Fact]
    public async Task Counters_show_what_is_there()
    {
        using var source = new ServerEvents(_name);
        using var listener = new Listener(_name, countersPerSecond: 20);
        var end = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                if (context.Request.Path == "/upgrade")
                {
                    await using var stream = await context.Features
                        .Get<IHttpUpgradeFeature>()!.UpgradeAsync();
                    await end.Task;
                }

                await (context.Request.Path == "/" ? Task.CompletedTask : end.Task);
            },
            events: source);
        Func<int> queued = () => 7;
        source.ObserveQueuedRequests(queued);
        source.ConnectionQueued();
        source.HandedOff();
        source.HandedOff();
        server.Connect(Apps.Get);
        server.Connect("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        server.Connect("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");

        await listener.WaitForAsync(
            ("total-connections", 3),
            ("current-connections", 3),
            ("connection-queue-length", 1),
            ("request-queue-length", 7),
            ("current-upgraded-requests", 1),
            ("current-requests", 2),
            ("hand-offs", 2));

        source.LoopLagged(TimeSpan.FromMilliseconds(5));
        source.LoopLagged(TimeSpan.FromMilliseconds(40));
        source.LoopLagged(TimeSpan.FromMilliseconds(6));
        await listener.WaitForAnyAsync("loop-lag", 40);
        await listener.WaitForAsync(("loop-lag", 0));
        Assert.Superset(new HashSet<string> { "connections-per-second", "requests-per-second" }, listener.Rates.Keys.ToHashSet());

        server.AbortAll();
        end.SetResult();
        server.RunUntil(() => server.ConnectionCount == 0);
        source.ConnectionDequeued();
        source.ForgetQueuedRequests(queued);
        await listener.WaitForAsync(
            ("total-connections", 3),
            ("current-connections", 0),
            ("connection-queue-length", 0),
            ("request-queue-length", 0),
            ("current-upgraded-requests", 0),
            ("current-requests", 0));
    }

    [Fact]
    public async Task Handshakes_begin_and_end()
    {
        using var source = new ServerEvents(_name);
        using var listener = new Listener(_name, countersPerSecond: 100);
        using var server = new SimulatedServer(Apps.Path, events: source, before: http =>
        {
            var options = TlsBed.Options();
            options.ApplicationProtocols = [SslApplicationProtocol.Http11];
            var rules = TlsBed.Rules(http, options);
            return connection => new TlsDriver(connection, rules);
        });
        using var client = TlsClient.Connect(
            server, options => options.ApplicationProtocols = [SslApplicationProtocol.Http11], SslProtocols.Tls13);
        client.Get(Apps.Get);
        server.Connect("\x16\x03\x01\x00\x04\x01\x00\x00\x00");
        server.Connect().ShutdownSend();
        server.Connect();
        server.Run();

        Assert.Equal(
            ["8 TlsHandshakeStart", "9 TlsHandshakeStop", "8 TlsHandshakeStart", "10 TlsHandshakeFailed", "9 TlsHandshakeStop"],
            listener.Events.Where(its => its.EventId is >= 8 and <= 10).Select(its => $"{its.EventId} {its.EventName}").Take(5));
        Assert.Equal(
            [["Tls13", "http/1.1", "localhost"], ["", "", ""]],
            listener.Events.Where(its => its.EventId == 9).Select(its => its.Payload!.Skip(1).ToArray()));
        await listener.WaitForAsync(("total-tls-handshakes", 1), ("failed-tls-handshakes", 1), ("current-tls-handshakes", 1));
        Assert.Contains("tls-handshakes-per-second", listener.Rates.Keys);
    }

    private sealed class Listener : EventListener
    {
        private readonly string _source;
        private readonly double _countersPerSecond;
        private volatile Action? _polled;
        private readonly ConcurrentDictionary<string, double> _means = new();
        private readonly ConcurrentDictionary<(string Name, double Value), bool> _seen = new();

        public Listener(string source, double countersPerSecond = 0)
        {
            _source = source;
            _countersPerSecond = countersPerSecond;
            foreach (var known in EventSource.GetSources().Where(known => known.Name == source))
            {
                Enable(known);
            }
        }

        public ConcurrentQueue<EventWrittenEventArgs> Events { get; } = new();

        public ConcurrentDictionary<string, double> Rates { get; } = new();

        /// <summary>Until the counters show these values at the same time.</summary>
        public Task WaitForAsync(params (string Name, double Value)[] expected) =>
            WaitAsync(() => expected.All(counter => _means.TryGetValue(counter.Name, out var mean) && mean == counter.Value));

        /// <summary>Until a counter has shown this value.</summary>
        public Task WaitForAnyAsync(string name, double value) => WaitAsync(() => _seen.ContainsKey((name, value)));

        // Looked at whenever counters come, on the thread that brings them.
        private async Task WaitAsync(Func<bool> condition)
        {
            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _polled = () =>
            {
                if (condition())
                {
                    met.TrySetResult();
                }
            };
            try
            {
                await met.Task.WaitAsync(AppHost.Patience);
            }
            catch (TimeoutException)
            {
                Assert.Fail(string.Join(", ", _means));
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventSource.Name != _source)
            {
                return;
            }

            if (eventData.EventName != "EventCounters")
            {
                Events.Enqueue(eventData);
                return;
            }

            var counter = (IDictionary<string, object?>)eventData.Payload![0]!;
            Keep(counter);
            _polled?.Invoke();
        }

        private void Keep(IDictionary<string, object?> counter)
        {
            var name = (string)counter["Name"]!;
            if (counter.TryGetValue("Mean", out var mean))
            {
                _means[name] = (double)mean!;
                _seen[(name, (double)mean!)] = true;
            }
            else
            {
                Rates[name] = (double)counter["Increment"]!;
            }
        }

        private void Enable(EventSource source) => EnableEvents(
            source,
            EventLevel.Informational,
            EventKeywords.All,
            _countersPerSecond > 0
                ? new Dictionary<string, string?> { ["EventCounterIntervalSec"] = FormattableString.Invariant($"{1 / _countersPerSecond}") }
                : null);
    }
}
