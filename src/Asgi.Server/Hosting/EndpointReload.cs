// Follows the configuration while the server runs: endpoints that are gone or changed are unbound, new ones bound, the others left alone.
// Changes come on any thread and are taken in turn; a stop takes the last turn.
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Hosting;

/// <param name="loader">Reads the configuration.</param>
/// <param name="endpoints">The endpoints.</param>
/// <param name="turn">Held while endpoints are changed.</param>
/// <param name="logger">Is told of changes.</param>
internal sealed partial class EndpointReload(
    AsgiServerConfigurationLoader loader, ServedEndpoints endpoints, SemaphoreSlim turn, ILogger logger) : IDisposable
{
    private IDisposable? _registration;
    private volatile bool _isStopping;

    /// <summary>Listens for changes, from the moment on at which the loader has loaded.</summary>
    public void Start() => _registration = ChangeToken.OnChange(loader.TakeChangeToken, () => _ = ReloadAsync());

    /// <summary>Does what has changed; never fails.</summary>
    public async Task ReloadAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isStopping)
            {
                TellOfValues();
                await ChangeEndpointsAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            ReloadFailed(logger, exception);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Done when the reload under way is, and no other follows.</summary>
    public async Task StopAsync()
    {
        _isStopping = true;
        _registration?.Dispose();
        await turn.WaitAsync().ConfigureAwait(false);
        turn.Release();
    }

    // The turns stay: a change that was on its way takes one after the stop, and finds that there is nothing to do.
    public void Dispose() => _registration?.Dispose();

    private async Task ChangeEndpointsAsync()
    {
        var current = loader.Endpoints;
        var findings = new ConfigurationFindings();
        var (wanted, certificates) = loader.Read(current, findings);
        ConfiguredEndpoint[] changed = [.. wanted.Where(endpoint => endpoint.Served is not null && !current.Contains(endpoint))];
        ConfiguredEndpoint[] added = [.. wanted.Except(current).Except(changed)];
        ConfiguredEndpoint[] removed = [.. current.Except(wanted).Except(changed.Select(endpoint => endpoint.Served!))];

        // All or nothing: an operator who is half-way through the file shall not lose what works.
        ConfigurationFindings.Demand([.. findings.Problems, .. added.SelectMany(endpoint => endpoint.Listen.Problems())]);
        ConfigurationLog.TellOf(logger, findings);
        ChangeTls(changed, removed, certificates);
        if (removed.Length > 0)
        {
            Stopping(logger, Names(removed));
            await endpoints.RemoveAsync([.. removed.Select(endpoint => endpoint.Listen)]).ConfigureAwait(false);
            loader.Endpoints = [.. loader.Endpoints.Except(removed)];
        }

        if (added.Length > 0)
        {
            Starting(logger, Names(added));
            loader.Endpoints = [.. loader.Endpoints, .. added.Where(TryBind)];
        }

        if (removed.Length + added.Length > 0)
        {
            endpoints.StartAccepting();
        }
    }

    // In place: connections that are there keep theirs. What cannot be used is tried again at the next change.
    private void ChangeTls(ConfiguredEndpoint[] changed, ConfiguredEndpoint[] removed, ConfiguredCertificates certificates)
    {
        var haveCertificatesChanged = !certificates.Text.Equals(loader.Certificates.Text);
        loader.Certificates = certificates;
        if (haveCertificatesChanged)
        {
            // Not those of which the section says something else now: what they were made from may be gone.
            ListenOptions[] others = [.. removed.Select(endpoint => endpoint.Listen), .. changed.Select(it => it.Served!.Listen)];
            foreach (var tls in endpoints.Tls.Where(tls => !others.Contains(tls.Listen)))
            {
                tls.Refresh();
            }
        }

        foreach (var endpoint in changed)
        {
            var served = endpoint.Served!;
            if (endpoints.TryChangeTls(served.Listen, endpoint.Listen.Https!))
            {
                var now = served with { TlsText = endpoint.TlsText, Served = null };
                loader.Endpoints = [.. loader.Endpoints.Select(it => it == served ? now : it)];
                TlsChanged(logger, Names([now]));
            }
        }
    }

    // One that fails is tried again at the next change; the others are served.
    private bool TryBind(ConfiguredEndpoint endpoint)
    {
        try
        {
            endpoints.Bind(endpoint.Listen);
            return true;
        }
        catch (Exception exception)
        {
            EndpointFailed(logger, endpoint.Name, endpoint.Listen.Display, exception);
            return false;
        }
    }

    private void TellOfValues()
    {
        var values = loader.ReadText();
        var changed = string.Join(", ", values.ChangedKeys(loader.Values));
        if (changed.Length > 0)
        {
            loader.Values = values;
            ValuesNotReloaded(logger, changed);
        }
    }

    private static string Names(IEnumerable<ConfiguredEndpoint> endpoints) =>
        string.Join(", ", endpoints.Select(endpoint => $"{endpoint.Name} ({endpoint.Listen.Display})"));

    [LoggerMessage(210, LogLevel.Critical,
        "The changed configuration cannot be used; the endpoints stay as they are.",
        EventName = "ReloadFailed")]
    private static partial void ReloadFailed(ILogger logger, Exception exception);

    [LoggerMessage(211, LogLevel.Critical,
        "The endpoint {Name} ({Address}) of the changed configuration cannot be bound; the others are served.",
        EventName = "ReloadedEndpointFailed")]
    private static partial void EndpointFailed(ILogger logger, string name, string address, Exception exception);

    [LoggerMessage(212, LogLevel.Information,
        "The configuration has changed: {Keys}. Limits and flags are read at the start; the change takes effect at the next.",
        EventName = "ValuesNotReloaded")]
    private static partial void ValuesNotReloaded(ILogger logger, string keys);

    [LoggerMessage(213, LogLevel.Information,
        "The configuration has changed. Stopping the endpoints: {Endpoints}.",
        EventName = "StoppingEndpoints")]
    private static partial void Stopping(ILogger logger, string endpoints);

    [LoggerMessage(214, LogLevel.Information,
        "The configuration has changed. Starting the endpoints: {Endpoints}.",
        EventName = "StartingEndpoints")]
    private static partial void Starting(ILogger logger, string endpoints);

    [LoggerMessage(215, LogLevel.Information,
        "The configuration has changed. New connections of this endpoint get other TLS: {Endpoint}.",
        EventName = "ChangedTls")]
    private static partial void TlsChanged(ILogger logger, string endpoint);
}
