// Looks every few seconds whether files with certificates have changed, so that renewed ones are served without a restart. A timer's
// callback on the pool; it takes turns with reloads of the configuration.
namespace Asgi.Server.Hosting;

/// <param name="endpoints">The endpoints with TLS that are served now.</param>
/// <param name="turn">Held while endpoints are changed.</param>
/// <param name="time">When to look.</param>
internal sealed class CertificateReload(Func<IEnumerable<TlsEndpoint>> endpoints, SemaphoreSlim turn, TimeProvider time) : IDisposable
{
    /// <summary>Between two looks; a change is taken at the second that finds it.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Kestrel's switch, for apps and file systems that are not to be looked at again and again; read at the start.</summary>
    public const string DisableSwitch = "Microsoft.AspNetCore.Server.Kestrel.DisableCertificateFileWatching";

    private ITimer? _timer;
    private volatile bool _isStopped;

    /// <summary>Looks from now on, unless the switch is set.</summary>
    public void Start()
    {
        if (AppContext.TryGetSwitch(DisableSwitch, out var isDisabled) && isDisabled)
        {
            return;
        }

        _timer = time.CreateTimer(_ => _ = CheckAndGoOnAsync(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>One look; never fails.</summary>
    public async Task CheckAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isStopped)
            {
                foreach (var endpoint in endpoints())
                {
                    endpoint.CheckFiles();
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        _isStopped = true;
        _timer?.Dispose();
    }

    // A look may take long, on a file system that is far away: the next waits for it.
    private async Task CheckAndGoOnAsync()
    {
        await CheckAsync().ConfigureAwait(false);
        if (!_isStopped)
        {
            _timer!.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }
}
