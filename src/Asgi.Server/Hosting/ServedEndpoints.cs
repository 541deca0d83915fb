// The endpoints a running server listens on: bound, served, shown and unbound. Used by AsgiServer when it starts and stops, and by
// EndpointReload in between; they take turns, so nothing here is shared between threads.
using Asgi.Server.Connections;
using Asgi.Server.Loops;

namespace Asgi.Server.Hosting;

internal sealed class ServedEndpoints(
    AddressBinder binder,
    ServerAddresses addresses,
    ConnectionRegistry registry,
    LoopGroup group,
    Func<ListenOptions, EndpointService> createService)
{
    /// <summary>How long a close waits for listeners: a loop that the application blocks closes its one when it goes on.</summary>
    private const int CloseWaitMilliseconds = 1000;

    /// <summary>How long the connections of an endpoint that is no longer wanted may go on, as with Kestrel.</summary>
    private const int GraceMilliseconds = 5000;

    private readonly List<Served> _served = [];

    /// <summary>The TLS of the endpoints that have it.</summary>
    public IEnumerable<TlsEndpoint> Tls => _served.Select(served => served.Service.Tls).OfType<TlsEndpoint>();

    /// <summary>Binds an endpoint; nobody is accepted yet.</summary>
    /// <inheritdoc cref="AddressBinder.Bind"/>
    public void Bind(ListenOptions endpoint)
    {
        // First what calls code of the application and loads certificates, which may fail: nothing is bound then.
        var service = createService(endpoint);
        _served.Add(new Served(endpoint, binder.Bind(endpoint), service));
    }

    /// <summary>Gives an endpoint other TLS, for connections to come; false if it cannot be used, which is told.</summary>
    public bool TryChangeTls(ListenOptions endpoint, HttpsSetup setup) =>
        _served.Single(served => served.Listen == endpoint).Service.Tls!.TryChange(setup);

    /// <summary>Accepts on every endpoint bound, and shows them. The loops run, or are started soon.</summary>
    public void StartAccepting()
    {
        foreach (var served in _served.Where(served => !served.IsAccepting))
        {
            served.IsAccepting = true;
            foreach (var bound in served.Bound)
            {
                bound.Endpoint.StartAccepting(served.Service.Acceptor);
            }
        }

        addresses.Publish(_served.SelectMany(served => served.Bound).Select(bound => bound.Display).Distinct());
    }

    /// <summary>Unbinds endpoints: their connections are asked to end, and broken after a time of grace.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<ListenOptions> endpoints)
    {
        var removed = _served.FindAll(served => endpoints.Contains(served.Listen));
        await CloseAsync(removed).ConfigureAwait(false);
        _served.RemoveAll(removed.Contains);
        foreach (var served in removed)
        {
            registry.End(group.Loops, served.Service.Acceptor, GraceMilliseconds);
        }
    }

    /// <summary>Closes every listener: the server stops.</summary>
    public Task CloseAsync() => CloseAsync(_served);

    /// <summary>Closes what no loop has started: the server does not start.</summary>
    public void CloseUnstarted()
    {
        foreach (var bound in _served.SelectMany(served => served.Bound))
        {
            bound.CloseUnstarted();
        }
    }

    private static async Task CloseAsync(List<Served> endpoints)
    {
        BoundAddress[] all = [.. endpoints.SelectMany(served => served.Bound)];
        Array.ForEach(all, static bound => bound.RemoveSocketFile());
        await Task.WhenAll(all.Select(bound => bound.Endpoint.CloseAsync()))
            .WaitAsync(TimeSpan.FromMilliseconds(CloseWaitMilliseconds))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed class Served(ListenOptions listen, IReadOnlyList<BoundAddress> bound, EndpointService service)
    {
        public ListenOptions Listen => listen;

        public IReadOnlyList<BoundAddress> Bound => bound;

        public EndpointService Service => service;

        public bool IsAccepting { get; set; }
    }
}
