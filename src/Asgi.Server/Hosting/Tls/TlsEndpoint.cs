// The TLS of an endpoint that is served: its rules as they are now, and how they become others. Made when the endpoint is bound; changed by
// reloads, which take turns, and read on loop threads.
using System.Net.Security;
using Asgi.Server.Connections;

namespace Asgi.Server.Hosting;

internal sealed class TlsEndpoint
{
    private readonly Func<HttpsSetup, TlsPlan> _build;
    private readonly ListenOptions _listen;
    private readonly TlsLog _log;
    private readonly Func<TlsPlan, Connection, SslApplicationProtocol, ConnectionDriver?> _next;
    private HttpsSetup _setup;
    private volatile TlsPlan _plan;
    private string _fingerprint;
    private string? _seen;

    /// <param name="listen">The endpoint.</param>
    /// <param name="build">Makes the plan.</param>
    /// <param name="next">The driver that follows a handshake.</param>
    /// <param name="log">Is told of changes.</param>
    /// <exception cref="InvalidOperationException">There is no certificate, or one that cannot be used.</exception>
    public TlsEndpoint(
        ListenOptions listen,
        Func<HttpsSetup, TlsPlan> build,
        Func<TlsPlan, Connection, SslApplicationProtocol, ConnectionDriver?> next,
        TlsLog log)
    {
        _listen = listen;
        _build = build;
        _next = next;
        _log = log;
        _setup = listen.Https!;
        _plan = Build(_setup);
        _fingerprint = _plan.Files.Fingerprint;
    }

    /// <summary>The endpoint.</summary>
    public ListenOptions Listen => _listen;

    /// <summary>What a handshake that begins now is made by.</summary>
    public TlsPlan Plan => _plan;

    /// <summary>Takes what the configuration says now; what cannot be used changes nothing and is told.</summary>
    public bool TryChange(HttpsSetup setup)
    {
        try
        {
            Take(setup);
            return true;
        }
        catch (Exception exception)
        {
            _log.ReloadFailed(_listen, exception);
            return false;
        }
    }

    /// <summary>The same setup again, because what it does not name itself has changed.</summary>
    public void Refresh() => TryChange(_setup);

    /// <summary>
    /// Looks whether the files have changed. What is seen for the first time may be half written, or a certificate whose key is still to
    /// come: it is taken when the next look finds the same.
    /// </summary>
    public void CheckFiles()
    {
        var current = _plan.Files.ReadFingerprint();
        if (current == _fingerprint)
        {
            _seen = null;
        }
        else if (current != _seen)
        {
            _seen = current;
        }
        else
        {
            // Told once: whether it can be used or not, it is looked at again when it is another.
            _fingerprint = current;
            if (TryChange(_setup))
            {
                _log.Reloaded(_listen, _plan.Files.Paths);
            }
        }
    }

    private void Take(HttpsSetup setup)
    {
        var plan = Build(setup);
        _setup = setup;
        _plan = plan;
        _fingerprint = plan.Files.Fingerprint;
        _seen = null;
    }

    private TlsPlan Build(HttpsSetup setup)
    {
        var plan = _build(setup);
        return plan with { Rules = plan.Rules with { Next = (connection, protocol) => _next(plan, connection, protocol) } };
    }
}
