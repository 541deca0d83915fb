// The server: joins loops, connections and application, starts and stops them. On the host's threads.
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Hosting;
using Asgi.Server.Loops;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server;

/// <summary>
/// A web server for ASP.NET Core and native ASGI applications. Usually not made by hand: <c>builder.WebHost.UseAsgiServer()</c>
/// registers it.
/// </summary>
public sealed partial class AsgiServer : IServer
{
    /// <summary>How long a stop waits for connections it has aborted to go, in milliseconds.</summary>
    private const int AbortWaitMilliseconds = 1000;

    private const string ServerName = "Asgi.Server";

    private readonly AsgiServerOptions _options;
    private readonly ServerLog _log;
    private readonly ServerMetrics _metrics;
    private readonly ServerDiagnostics _diagnostics;
    private readonly BadRequestEvents? _badRequests;
    private readonly ServerAddresses _addresses = new();
    private LoopGroup? _group;
    private ConnectionRegistry? _registry;
    private ServedEndpoints? _endpoints;
    private EndpointReload? _reload;
    private CertificateReload? _certificates;

    // Who changes endpoints that are served has it.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly TaskCompletionSource _endOfPatience = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _stop;
    private Func<int>? _queuedRequests;
    private int _hasStarted;

    /// <param name="options">The options; read when the server starts.</param>
    /// <param name="loggerFactory">Where the server logs, in categories that begin with <c>Asgi.Server</c>.</param>
    /// <param name="meterFactory">Makes the meter <c>Asgi.Server</c>; null: the server makes it itself.</param>
    /// <param name="diagnosticListener">Where it tells of requests it refuses; null: nowhere.</param>
    public AsgiServer(
        IOptions<AsgiServerOptions> options,
        ILoggerFactory loggerFactory,
        IMeterFactory? meterFactory = null,
        DiagnosticListener? diagnosticListener = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _options = options.Value;
        _log = new ServerLog(loggerFactory);
        _metrics = new ServerMetrics(meterFactory);
        _badRequests = diagnosticListener is null ? null : new BadRequestEvents(diagnosticListener);
        _diagnostics = new ServerDiagnostics(_log, _metrics, ServerEvents.Log, TimeProvider.System)
        {
            LogsAccess = _options.AccessLog,
            BadRequests = _badRequests,
        };
        Features.Set<IServerAddressesFeature>(_addresses);
    }

    /// <summary>Holds <see cref="IServerAddressesFeature"/>: addresses to bind before the start, those bound after it.</summary>
    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Follows the configuration, if the server does; for tests.</summary>
    internal EndpointReload? Reload => _reload;

    /// <summary>Looks for changed certificates; for tests.</summary>
    internal CertificateReload? Certificates => _certificates;

    private int HandOffMilliseconds => (int)_options.HandOffThreshold.TotalMilliseconds;

    /// <summary>Starts to serve an ASP.NET application; called by the host.</summary>
    /// <exception cref="InvalidOperationException">The server was started before, or an option or address does not work.</exception>
    /// <exception cref="IOException">An address is in use.</exception>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        ArgumentNullException.ThrowIfNull(application);
        var encodings = HeaderEncodings.From(_options.RequestHeaderEncodingSelector, _options.ResponseHeaderEncodingSelector);
        return StartAsync(
            new HostedApplication<TContext>(application, _log, _options.AllowSynchronousIO, encodings, _badRequests), cancellationToken);
    }

    /// <summary>Starts to serve a native ASGI application, without ASP.NET.</summary>
    /// <exception cref="InvalidOperationException">The server was started before, or an option or address does not work.</exception>
    /// <exception cref="IOException">An address is in use.</exception>
    public Task StartAsync(IAsgiApplication application, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(application);
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _stop) is not null)
        {
            throw new InvalidOperationException("The server has been stopped already.");
        }

        _options.ConfigurationLoader?.Load();
        _options.Validate();
        if (Interlocked.Exchange(ref _hasStarted, 1) != 0)
        {
            throw new InvalidOperationException("The server has been started already.");
        }

        var defaultFields = new DefaultFields(TimeProvider.System, _options.AddServerHeader ? ServerName : null);
        ConfigurationLog.TellOf(_log.General, _options.Findings);
        ConfigurationLog.TellOfKestrelEndpoints(_log.General, _options.KestrelEndpoints);
        var followsConfiguration = !EndpointChoice.PrefersAddresses(_addresses);
        var group = new LoopGroup(_options.LoopCount, CreateBlockingOptions());
        var limits = new EffectiveLimits(_options);
        var dispatch = CreateDispatch(limits.Of(own: null).RetryAfterSeconds);
        var registry = new ConnectionRegistry(group.Loops, dispatch, _diagnostics);
        var endpoints = new ServedEndpoints(
            new AddressBinder(group, _log.General),
            _addresses,
            registry,
            group,
            CreateService);
        try
        {
            foreach (var listen in EndpointChoice.Choose(_options, _addresses, _log.General))
            {
                endpoints.Bind(listen);
            }
        }
        catch
        {
            endpoints.CloseUnstarted();
            group.Dispose();
            throw;
        }

        _group = group;
        _registry = registry;
        _endpoints = endpoints;
        Observe(group, dispatch);
        group.Start();
        endpoints.StartAccepting();
        if (_options.ConfigurationLoader is { ReloadOnChange: true } loader && followsConfiguration)
        {
            _reload = new EndpointReload(loader, endpoints, _turn, _log.General);
            _reload.Start();
        }

        _certificates = new CertificateReload(() => endpoints.Tls, _turn, TimeProvider.System);
        if (_reload is not null || endpoints.Tls.Any())
        {
            _certificates.Start();
        }

        return Task.CompletedTask;

        EndpointService CreateService(ListenOptions listen)
        {
            var endpoint = limits.Of(listen.OwnLimits);
            var served = endpoint.Requests is { } requests
                ? new LimitedRequests(
                    application,
                    requests,
                    new Overload(nameof(AsgiServerLimits.MaxConcurrentRequests), endpoint.RetryAfterSeconds, _log, TimeProvider.System))
                : application;
            return EndpointService.Create(
                listen,
                new EndpointDrivers(
                    connection => new Http1Driver(connection, served, defaultFields),
                    connection => new Http2Driver(connection, served, defaultFields),
                    _log.General),
                createDriver => new ConnectionAcceptor(registry, endpoint.Connection, createDriver),
                new TlsLog(_log.General));
        }
    }

    /// <summary>
    /// Stops: the listeners close at once, idle connections are closed, requests in flight are answered with <c>Connection: close</c>; when
    /// the token is cancelled what is left is aborted. A second caller waits for the first, and its token counts too.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken
            .UnsafeRegister(static end => ((TaskCompletionSource)end!).TrySetResult(), _endOfPatience)
            .ConfigureAwait(false);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = Interlocked.CompareExchange(ref _stop, done, null);
        await (first is null ? StopOnceAsync(done) : first.Task).ConfigureAwait(false);
    }

    /// <summary>Stops at once, if that was not done: what is in flight is aborted.</summary>
    public void Dispose() => StopAsync(new CancellationToken(canceled: true)).GetAwaiter().GetResult();

    private async Task StopOnceAsync(TaskCompletionSource done)
    {
        try
        {
            await StopLoopsAsync().ConfigureAwait(false);
        }
        finally
        {
            if (_queuedRequests is not null)
            {
                _diagnostics.Events.ForgetQueuedRequests(_queuedRequests);
            }

            _metrics.Dispose();
            done.SetResult();
        }
    }

    private async Task StopLoopsAsync()
    {
        if (_group is null || _registry is null || _endpoints is null)
        {
            return;
        }

        _certificates?.Dispose();
        if (_reload is not null)
        {
            await _reload.StopAsync().ConfigureAwait(false);
            _reload.Dispose();
        }

        await _endpoints.CloseAsync().ConfigureAwait(false);
        var drained = _registry.ShutDownAsync(_group.Loops);
        if (await Task.WhenAny(drained, _endOfPatience.Task).ConfigureAwait(false) != drained)
        {
            NotAllConnectionsClosed(_log.General, _registry.Count);
            _registry.AbortAll(_group.Loops);
            await WaitAtMostAsync(drained).ConfigureAwait(false);
            if (!drained.IsCompleted)
            {
                NotAllConnectionsAborted(_log.General, _registry.Count);
            }
        }

        _group.Dispose();
    }

    // What others count is looked at when a listener asks.
    private void Observe(LoopGroup group, ApplicationDispatch dispatch)
    {
        var lag = new LoopLag(_diagnostics);
        foreach (var loop in group.Loops)
        {
            loop.Observer = lag;
        }

        _queuedRequests = () => group.Spares.WaitingCount;
        _diagnostics.Events.ObserveQueuedRequests(_queuedRequests);
        _metrics.ObserveSpareThreads(() => group.Spares.ThreadCount, _queuedRequests);
        _metrics.ObserveBlockingRoutes(() => dispatch.BlockingRouteCount);
        _metrics.ObserveBlocks(() => Array.ConvertAll(
            group.Loops.ToArray(), static loop => new LoopBlocks(loop.Name, loop.Blocks.RentedCount, loop.Blocks.PooledCount)));
    }

    private BlockingOptions CreateBlockingOptions() => new()
    {
        HandOffMilliseconds = _options.Dispatch == RequestDispatch.Adaptive ? HandOffMilliseconds : null,
        SpareCallCountMax = _options.MaxSpareThreads,
        WaitingCallCountMax = _options.MaxQueuedRequests,
    };

    private ApplicationDispatch CreateDispatch(int retryAfterSeconds) => new(
        _options.Dispatch == RequestDispatch.ThreadPool ? CallPlace.ThreadPool : CallPlace.Loop,
        learns: _options.Dispatch == RequestDispatch.Adaptive,
        HandOffMilliseconds,
        _log,
        new Overload(nameof(_options.MaxQueuedRequests), retryAfterSeconds, _log, TimeProvider.System),
        _diagnostics);

    private static async Task WaitAtMostAsync(Task task) =>
        await task.WaitAsync(TimeSpan.FromMilliseconds(AbortWaitMilliseconds)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(16, LogLevel.Debug,
        "Some connections failed to close gracefully during server shutdown: {Count} are aborted.",
        EventName = "NotAllConnectionsClosedGracefully")]
    private static partial void NotAllConnectionsClosed(ILogger logger, int count);

    [LoggerMessage(21, LogLevel.Debug,
        "Some connections failed to abort during server shutdown: {Count} are left, with applications that do not end.",
        EventName = "NotAllConnectionsAborted")]
    private static partial void NotAllConnectionsAborted(ILogger logger, int count);
}
