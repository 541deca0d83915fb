// A server on a simulated loop: everything between sockets and application is the product's. A test drives it on its own thread and says
// what clients do, when time passes and when the loop runs; nothing happens in between.

using System.Diagnostics;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Asgi.Server.Testing.Simulation;

internal sealed class SimulatedServer : IAcceptHandler, IDisposable
{
    /// <summary>Ticks after which a run that does not come to rest is taken for an endless loop.</summary>
    private const int TicksMax = 5_000_000;
    private const int ReturnTicksMax = 100_000;

    private readonly SimulatedListener _listener;
    private readonly ConnectionRegistry _registry;
    private readonly ConnectionAcceptor _acceptor;
    private readonly Action _tick;

    /// <param name="application">What serves the requests.</param>
    /// <param name="seed">What the network and the order of events are drawn from.</param>
    /// <param name="limits">Limits that are not the defaults.</param>
    /// <param name="conditions">The network's, if not drawn from the seed.</param>
    /// <param name="spares">Threads for application code that blocks; null: there are none.</param>
    /// <param name="logsAccess">Whether each response is logged.</param>
    /// <param name="listener">Where it tells of bad requests; null: to one of its own.</param>
    /// <param name="events">Where it tells of events; null: to the source of the process.</param>
    /// <param name="before">What connections pass before HTTP, given HTTP; null: nothing.</param>
    /// <param name="logMinimum">The least level that is logged.</param>
    /// <param name="isHttp2">Whether connections speak HTTP/2, by prior knowledge.</param>
    public SimulatedServer(
        Func<ServerLog, IAsgiApplication> application,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null,
        ISpares? spares = null,
        bool logsAccess = false,
        ServerEvents? events = null,
        DiagnosticListener? listener = null,
        Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>>? before = null,
        LogLevel logMinimum = LogLevel.Trace,
        bool isHttp2 = false)
    {
        Log = new RecordingLog(logMinimum);
        Listener = listener ?? new DiagnosticListener("simulated");
        Backend = new SimulatedBackend(seed, conditions);
        Loop = new Loop(Backend, "simulated loop", spares);
        _tick = () => Loop.Tick();
        var log = new ServerLog(Log);
        Diagnostics = new ServerDiagnostics(log, new ServerMetrics(factory: null), events ?? ServerEvents.Log, new LoopTime(Backend))
        {
            LogsAccess = logsAccess,
            BadRequests = new BadRequestEvents(Listener),
        };
        var served = application(log);
        var fields = new DefaultFields(new FixedTime(), serverName: null);
        var overload = new Overload("the simulation", retryAfterSeconds: 1, log, TimeProvider.System);
        var dispatch = new ApplicationDispatch(
            CallPlace.Loop, learns: spares is not null, BlockingMilliseconds, log, overload, Diagnostics);
        _registry = new ConnectionRegistry([Loop], dispatch, Diagnostics);
        Func<Connection, ConnectionDriver> http = isHttp2
            ? connection => new Http2Driver(connection, served, fields)
            : connection => new Http1Driver(connection, served, fields);
        Http2 = connection => new Http2Driver(connection, served, fields);
        _acceptor = new ConnectionAcceptor(_registry, limits ?? new ConnectionLimits(), before?.Invoke(http) ?? http);
        _listener = Backend.Listen();
        Backend.StartAccepting(_listener, this);
    }

    /// <summary>Serves a native application that is one function.</summary>
    public SimulatedServer(
        Func<HttpExchange, ValueTask> application,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null,
        ISpares? spares = null,
        bool logsAccess = false,
        ServerEvents? events = null,
        Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>>? before = null,
        bool isHttp2 = false)
        : this(
            _ => new NativeApplication(application),
            seed,
            limits,
            conditions,
            spares,
            logsAccess,
            events,
            before: before,
            isHttp2: isHttp2)
    {
    }

    /// <summary>A call on a spare thread that takes so long has blocked.</summary>
    public const int BlockingMilliseconds = 10;

    /// <summary>The Date of every response.</summary>
    public const string Date = "Sun, 06 Nov 1994 08:49:37 GMT";

    /// <summary>HTTP/2 for the same application, where a test chooses the version itself.</summary>
    public Func<Connection, ConnectionDriver> Http2 { get; }

    public SimulatedBackend Backend { get; }

    public Loop Loop { get; }

    public RecordingLog Log { get; }

    /// <summary>What is logged beyond the usual coming and going of connections.</summary>
    public IEnumerable<LogEntry> Told => Log.Entries.Where(entry => entry.Id.Id is not (1 or 2 or (>= 6 and <= 10) or 19 or 39));

    /// <summary>What watches the server. The meter is its own.</summary>
    public ServerDiagnostics Diagnostics { get; }

    /// <summary>Where it tells of bad requests.</summary>
    public DiagnosticListener Listener { get; }

    public int ConnectionCount => _registry.Count;

    public int BlockCount => Loop.Blocks.RentedCount;

    public SimulatedClient Connect() => _listener.Connect();

    /// <summary>Connects, sends and runs.</summary>
    public SimulatedClient Connect(string bytes)
    {
        var client = Connect();
        client.Send(bytes);
        Run();
        return client;
    }

    /// <summary>Runs until nothing is left to do at this time.</summary>
    public void Run()
    {
        for (var tick = 0; tick < TicksMax; tick++)
        {
            Tick();
            if (Backend.IsIdle)
            {
                return;
            }
        }

        Assert.Fail($"The loop has not come to rest after {TicksMax} ticks.");
    }

    /// <summary>Runs until a condition holds, which other threads may make true.</summary>
    public void RunUntil(Func<bool> condition)
    {
        var wait = new SpinWait();
        while (!condition())
        {
            Tick();
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Lets time pass: everything due until then happens at its time.</summary>
    public void Advance(long milliseconds)
    {
        Run();
        Backend.HorizonMilliseconds = Backend.NowMilliseconds + milliseconds;
        Run();
        Assert.Equal(Backend.HorizonMilliseconds, Backend.NowMilliseconds);
    }

    /// <summary>One turn of the loop.</summary>
    public void Tick() => OnLoop(_tick);

    /// <summary>Runs code as the loop's thread would: what an application awaits is completed inline.</summary>
    public static void OnLoop(Action action)
    {
        // xunit's would take the continuations to other threads; a loop has none.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            action();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Runs code on another thread, and is done when it is: what an application does off its loop, without a race.</summary>
    public static void OffLoop(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new InvalidOperationException("The code off the loop has failed.", failure);
        }
    }

    /// <summary>Ends the connections of the server's endpoint, or those of another one, of which there are none.</summary>
    public void End(int graceMilliseconds, bool ofAnother = false)
    {
        _registry.End([Loop], ofAnother ? new AnotherAcceptor() : _acceptor, graceMilliseconds);
        Run();
    }

    /// <summary>Asks all connections to end as their protocol allows.</summary>
    public Task ShutDown() => _registry.ShutDownAsync([Loop]);

    /// <summary>Breaks all connections.</summary>
    public void AbortAll() => _registry.AbortAll([Loop]);

    /// <summary>Ends all connections, and demands that nothing is left of them: no block, no timer, no bug in the log.</summary>
    public void DemandNothingLeft()
    {
        Run();
        AbortAll();
        Run();

        // Of several that await one task, .NET continues one where it completes and the others on the pool: they may be returning still.
        var wait = new SpinWait();
        for (var i = 0; i < ReturnTicksMax && ConnectionCount > 0; i++)
        {
            Tick();
            wait.SpinOnce(sleep1Threshold: -1);
        }

        Assert.DoesNotContain(Log.Entries, entry => entry.Level == LogLevel.Critical);
        Assert.Equal(0, ConnectionCount);
        Assert.Equal(0, BlockCount);
        Assert.Equal(-1, Loop.Timers.MillisecondsToNext(Backend.NowMilliseconds));
    }

    public void OnAccepted(Transport transport) => _acceptor.Accept(Loop, transport);

    public void Dispose()
    {
        Loop.Dispose();
        Diagnostics.Metrics.Dispose();
        Listener.Dispose();
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(1994, 11, 6, 8, 49, 37, TimeSpan.Zero);
    }

    /// <summary>The loop's clock, for what measures durations.</summary>
    private sealed class LoopTime(SimulatedBackend backend) : TimeProvider
    {
        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => backend.NowMilliseconds;
    }

    private sealed class NativeApplication(Func<HttpExchange, ValueTask> run) : IAsgiApplication
    {
        public ValueTask RunAsync(HttpExchange exchange) => run(exchange);
    }

    private sealed class AnotherAcceptor : IConnectionAcceptor
    {
        public void Accept(Loop loop, Transport transport) => Assert.Fail("It has no listener.");
    }
}
