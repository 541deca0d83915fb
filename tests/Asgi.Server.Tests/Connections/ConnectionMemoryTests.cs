// What a connection costs in bytes of the heap: a budget for each of its ages, with less to spare than one thoughtless array takes. Counted
// over many connections, alone in the process; allocations are those of the test's own thread, on which the loop runs.

using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Asgi.Server.Tests.Connections;

[CollectionDefinition(nameof(ConnectionMemoryTests), DisableParallelization = true)]
[Collection(nameof(ConnectionMemoryTests))]
public sealed class ConnectionMemoryTests
{
    private const int Count = 2000;

    // Bytes per connection, the descriptor's object of the test (48) included. To be raised only with a reason.
    private const int SilentMax = 750;
    private const int RestingMax = 750;
    private const int ReadyMax = 2400;
    private const int FirstRequestMax = 2450;

    private static readonly byte[] s_request = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"u8.ToArray();
    private static readonly byte[] s_content = "Hello, world!"u8.ToArray();

    [Fact]
    public void A_connection_that_has_sent_nothing_is_small() => Assert.InRange(Cost(bed => bed.Accept()), 1, SilentMax);

    [Fact]
    public void A_connection_that_rests_is_as_small_again()
    {
        var cost = Cost(bed =>
        {
            bed.Accept();
            bed.Request();
            bed.Pass(Http1Driver.RestAfterMilliseconds + TimerWheel.StepMilliseconds);
            Assert.Equal(0, bed.Loop.Blocks.RentedCount);
        });
        Assert.InRange(cost, 1, RestingMax);
    }

    [Fact]
    public void A_connection_that_may_be_asked_again_at_once_has_its_budget_too()
    {
        var cost = Cost(bed =>
        {
            bed.Accept();
            bed.Request();
        });
        Assert.InRange(cost, RestingMax, ReadyMax);
    }

    [Fact]
    public void What_the_first_request_of_a_connection_allocates_is_bounded()
    {
        using var bed = new Bed();
        bed.Accept();
        bed.Request();
        var before = GC.GetAllocatedBytesForCurrentThread();
        bed.Accept();
        bed.Request();
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Count, 1, FirstRequestMax);
    }

    [Fact]
    public void Further_requests_allocate_nothing()
    {
        using var bed = new Bed();
        bed.Accept();
        bed.Request();
        bed.Request();
        var before = GC.GetAllocatedBytesForCurrentThread();
        bed.Request();

        // Not a byte each; together they may meet the next second, whose Date is made once.
        Assert.Equal(0, (GC.GetAllocatedBytesForCurrentThread() - before) / Count);
    }

    // Bytes per connection: the median of several beds, since what other tests have left in the process may go at any moment.
    private static long Cost(Action<Bed> make)
    {
        const int BedCount = 5;
        var costs = new long[BedCount];
        for (var i = 0; i < BedCount; i++)
        {
            using var bed = new Bed();
            costs[i] = bed.Cost(() => make(bed));
        }

        Array.Sort(costs);
        return costs[BedCount / 2];
    }

    /// <summary>A server whose connections have the least of transports, and a clock that the test moves.</summary>
    private sealed class Bed : IDisposable
    {
        private readonly BareBackend _backend = new();
        private readonly ConnectionAcceptor _acceptor;
        private readonly ServerDiagnostics _diagnostics;
        private readonly List<BareTransport> _transports = new(2 * Count);

        public Bed()
        {
            Loop = new Loop(_backend, "bare loop");
            var log = new ServerLog(NullLoggerFactory.Instance);
            _diagnostics = new ServerDiagnostics(log, new ServerMetrics(factory: null), ServerEvents.Log, TimeProvider.System);
            var overload = new Overload("the test", retryAfterSeconds: 1, log, TimeProvider.System);
            var dispatch = new ApplicationDispatch(CallPlace.Loop, learns: false, 10, log, overload, _diagnostics);
            var registry = new ConnectionRegistry([Loop], dispatch, _diagnostics);
            var fields = new DefaultFields(TimeProvider.System, serverName: null);
            var application = new Application();
            _acceptor = new ConnectionAcceptor(
                registry, new ConnectionLimits(), connection => new Http1Driver(connection, application, fields));

            // What the first connection of all makes for all.
            Accept(1);
            Request();
        }

        public Loop Loop { get; }

        public long Cost(Action make)
        {
            var before = GetSettledMemory();
            make();
            return (GetSettledMemory() - before) / Count;
        }

        // What other tests have left goes only once its finalizers have run, which may free more.
        private static long GetSettledMemory()
        {
            const int LooksMax = 20;
            var total = GC.GetTotalMemory(forceFullCollection: true);
            for (var i = 0; i < LooksMax; i++)
            {
                GC.WaitForPendingFinalizers();
                var next = GC.GetTotalMemory(forceFullCollection: true);
                if (Math.Abs(next - total) < Count)
                {
                    return next;
                }

                total = next;
            }

            return total;
        }

        public void Accept() => Accept(Count);

        public void Request()
        {
            foreach (var transport in _transports)
            {
                transport.HasRequest = true;
                transport.Handler!.OnReadable();
                SimulatedServer.OnLoop(_tick ??= () => Loop.Tick());
            }
        }

        public void Pass(int milliseconds)
        {
            _backend.Now += milliseconds;
            SimulatedServer.OnLoop(() => Loop.Tick());
        }

        public void Dispose()
        {
            GC.KeepAlive(_transports);
            Loop.Dispose();
            _diagnostics.Metrics.Dispose();
        }

        private Action? _tick;

        private void Accept(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var transport = new BareTransport();
                _transports.Add(transport);
                _acceptor.Accept(Loop, transport);
            }
        }
    }

    private sealed class Application : IAsgiApplication
    {
        public ValueTask RunAsync(HttpExchange exchange)
        {
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(new ResponseBody(s_content));
        }
    }

    private sealed class BareBackend : Backend
    {
        public long Now { get; set; }

        public override long NowMilliseconds => Now;

        public override void Poll(int timeoutMilliseconds)
        {
        }

        public override void Wake()
        {
        }

        public override void StartAccepting(Listener listener, IAcceptHandler handler)
        {
        }

        public override void Attach(Transport transport, ITransportHandler handler) => ((BareTransport)transport).Handler = handler;

        public override void Dispose()
        {
        }
    }

    private sealed class BareTransport : Transport
    {
        public ITransportHandler? Handler { get; set; }

        public bool HasRequest { get; set; }

        public override EndPoint? RemoteEndPoint => null;

        public override EndPoint? LocalEndPoint => null;

        public override TransportResult Receive(Span<byte> buffer)
        {
            if (!HasRequest)
            {
                return TransportResult.WouldBlock;
            }

            HasRequest = false;
            s_request.CopyTo(buffer);
            return TransportResult.Done(s_request.Length);
        }

        public override TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
        {
            var length = 0;
            foreach (var vector in vectors)
            {
                length += (int)vector.Length;
            }

            return TransportResult.Done(length);
        }

        public override void ShutdownSend()
        {
        }

        public override void Close()
        {
        }

        public override void Abort()
        {
        }
    }
}
