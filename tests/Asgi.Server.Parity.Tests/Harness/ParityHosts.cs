// The hosts of one test class, each started when first asked for. An xunit class fixture: a class runs one test at a time, so a host
// has one app at a time.

using System.Collections.Concurrent;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public class ParityHosts : IAsyncLifetime
{
    private readonly ConcurrentDictionary<HostKind, Task<ParityHost>> _hosts = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts.Values)
            await (await host).DisposeAsync();
    }

    /// <summary>The host of this kind, with this test's app on it.</summary>
    internal async Task<ParityHost> On(HostKind kind, RequestDelegate app) => (await On(kind)).With(app);

    internal Task<ParityHost> On(HostKind kind) => _hosts.GetOrAdd(kind, kind => ParityHost.StartAsync(kind, Services, Pipeline));

    /// <summary>The raw exchange of one request with this app.</summary>
    internal async Task<RawExchange> ExchangeAsync(HostKind kind, string request, RequestDelegate app) =>
        await (await On(kind, app)).ExchangeAsync(request);

    /// <summary>The raw exchange of a plain GET with this app.</summary>
    internal async Task<RawExchange> GetAsync(HostKind kind, RequestDelegate app) => await (await On(kind, app)).GetAsync();

    protected virtual void Services(WebApplicationBuilder builder)
    {
    }

    /// <summary>What stands before the test's app.</summary>
    protected virtual void Pipeline(WebApplication application)
    {
    }
}
