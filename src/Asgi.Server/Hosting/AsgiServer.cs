// The server: joins loops, connections and application, starts and stops them. On the host's threads.
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Hosting;
using Asgi.Server.Loops;
using Asgi.Server.Protocols.Http1;
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
    /// <summary>How long a stop waits for listeners to be closed, and for connections it has aborted to go, in milliseconds.</summary>
    private const int AbortWaitMilliseconds = 1000;

    private const string ServerName = "Asgi.Server";

    // A century: "no limit" without a case of its own.
    private static readonly TimeSpan TimeoutMax = TimeSpan.FromDays(36_500);

    private readonly AsgiServerOptions _options;
    private readonly ServerLog _log;
    private readonly ServerAddresses _addresses = new();
    private LoopGroup? _group;
    private ConnectionRegistry? _registry;
    private IReadOnlyList<BoundAddress> _bound = [];
    private TaskCompletionSource? _stop;
    private int _hasStarted;

    /// <param name="options">The options; read when the server starts.</param>
    /// <param name="loggerFactory">Where the server logs, in categories that begin with <c>Asgi.Server</c>.</param>
    public AsgiServer(IOptions<AsgiServerOptions> options, ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _options = options.Value;
        _log = new ServerLog(loggerFactory);
        Features.Set<IServerAddressesFeature>(_addresses);
    }

    /// <summary>Holds <see cref="IServerAddressesFeature"/>: addresses to bind before the start, those bound after it.</summary>
    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Starts to serve an ASP.NET application; called by the host.</summary>
    /// <exception cref="InvalidOperationException">The server was started before, or an option or address does not work.</exception>
    /// <exception cref="IOException">An address is in use.</exception>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        ArgumentNullException.ThrowIfNull(application);
        return StartAsync(new HostedApplication<TContext>(application, _log), cancellationToken);
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

        var limits = CreateLimits(_options.Limits);
        if (Interlocked.Exchange(ref _hasStarted, 1) != 0)
        {
            throw new InvalidOperationException("The server has been started already.");
        }

        var defaultFields = new DefaultFields(TimeProvider.System, _options.AddServerHeader ? ServerName : null);
        var group = new LoopGroup(_options.LoopCount);
        try
        {
            _bound = new AddressBinder(group, _options, _addresses, _log.General).Bind();
        }
        catch
        {
            group.Dispose();
            throw;
        }

        _group = group;
        _registry = new ConnectionRegistry(group.Loops, limits, _log, CreateDriver);
        group.Start();
        foreach (var bound in _bound)
        {
            bound.Endpoint.StartAccepting(_registry);
        }

        _addresses.Publish(_bound.Select(bound => bound.Display).Distinct());
        return Task.CompletedTask;

        Http1Driver CreateDriver(Connection connection) => new(connection, application, defaultFields);
    }

    /// <summary>
    /// Stops: the listeners close at once, idle connections are closed, requests in flight are answered with <c>Connection: close</c>; when
    /// the token is cancelled what is left is aborted. A second caller waits for the first.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _stop, done, null) is { } first ? first.Task : StopOnceAsync(done, cancellationToken);
    }

    /// <summary>Stops at once, if that was not done: what is in flight is aborted.</summary>
    public void Dispose() => StopAsync(new CancellationToken(canceled: true)).GetAwaiter().GetResult();

    private async Task StopOnceAsync(TaskCompletionSource done, CancellationToken cancellationToken)
    {
        try
        {
            await StopLoopsAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            done.SetResult();
        }
    }

    private async Task StopLoopsAsync(CancellationToken cancellationToken)
    {
        if (_group is null || _registry is null)
        {
            return;
        }

        // Not for ever: a loop that the application blocks closes its listener when it goes on.
        await WaitAtMostAsync(Task.WhenAll(_bound.Select(bound => bound.Endpoint.CloseAsync()))).ConfigureAwait(false);
        foreach (var bound in _bound)
        {
            AddressBinder.DeleteSocketFile(bound);
        }

        var drained = _registry.ShutDownAsync(_group.Loops);
        try
        {
            await drained.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            NotAllConnectionsClosed(_log.General, _registry.Count);
            _registry.AbortAll(_group.Loops);
            await WaitAtMostAsync(drained).ConfigureAwait(false);
        }

        _group.Dispose();
    }

    private static async Task WaitAtMostAsync(Task task) =>
        await task.WaitAsync(TimeSpan.FromMilliseconds(AbortWaitMilliseconds)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static ConnectionLimits CreateLimits(AsgiServerLimits limits)
    {
        DemandFits(limits.MaxRequestLineSize, nameof(limits.MaxRequestLineSize));
        DemandFits(limits.MaxRequestHeadersTotalSize, nameof(limits.MaxRequestHeadersTotalSize));
        return new ConnectionLimits
        {
            RequestBufferSizeMax = limits.MaxRequestBufferSize,
            ResponseBufferSizeMax = limits.MaxResponseBufferSize,
            ContentLengthMax = limits.MaxRequestBodySize,
            RequestRateMin = DataRates.From(limits.MinRequestBodyDataRate),
            ResponseRateMin = DataRates.From(limits.MinResponseDataRate),
            KeepAliveTimeoutMilliseconds = ToMilliseconds(limits.KeepAliveTimeout),
            HeadTimeoutMilliseconds = ToMilliseconds(limits.RequestHeadersTimeout),
            Http1 = new Http1Limits
            {
                MaxRequestLineSize = limits.MaxRequestLineSize,
                MaxRequestHeadersTotalSize = limits.MaxRequestHeadersTotalSize,
                MaxRequestHeaderCount = limits.MaxRequestHeaderCount,
            },
        };

        void DemandFits(int size, string name)
        {
            if (limits.MaxRequestBufferSize < size)
            {
                throw new InvalidOperationException(
                    $"Limits.MaxRequestBufferSize ({limits.MaxRequestBufferSize}) must be greater than or equal to "
                    + $"Limits.{name} ({size}).");
            }
        }
    }

    private static long ToMilliseconds(TimeSpan timeout) =>
        (long)(timeout == Timeout.InfiniteTimeSpan || timeout > TimeoutMax ? TimeoutMax : timeout).TotalMilliseconds;

    [LoggerMessage(16, LogLevel.Debug,
        "Some connections failed to close gracefully during server shutdown: {Count} are aborted.",
        EventName = "NotAllConnectionsClosedGracefully")]
    private static partial void NotAllConnectionsClosed(ILogger logger, int count);
}
