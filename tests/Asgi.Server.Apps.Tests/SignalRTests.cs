// SignalR with its own client for JavaScript, under Node, over each of the three transports.

using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Apps.Tests;

public sealed class SignalRTests
{
    private static readonly int[] Hundred = [.. Enumerable.Range(0, 100)];

    [NodeTheory]
    [InlineData(ServerKind.Asgi, Offer.Http1, "WebSockets")]
    [InlineData(ServerKind.Asgi, Offer.Http1, "ServerSentEvents")]
    [InlineData(ServerKind.Asgi, Offer.Http1, "LongPolling")]
    [InlineData(ServerKind.Asgi, Offer.Http1Tls, "WebSockets")]
    [InlineData(ServerKind.Asgi, Offer.Http1Tls, "ServerSentEvents")]
    [InlineData(ServerKind.Asgi, Offer.Http1Tls, "LongPolling")]
    [InlineData(ServerKind.Kestrel, Offer.Http1Tls, "WebSockets")]
    public async Task A_hub_is_called_calls_back_streams_and_is_found_again(ServerKind kind, Offer offer, string transport)
    {
        await using var server = await AppServer.StartAsync(
            kind,
            application => application.MapHub<PageHub>("/hub", options => options.ApplicationMaxBufferSize = 0),
            builder => builder.Services.AddSignalR(options =>
            {
                options.MaximumReceiveMessageSize = null;
                // A client asked by a method of the hub answers beside it.
                options.MaximumParallelInvocationsPerClient = 2;
            }),
            offer: offer);

        var script = Path.Combine(Repository.Clients, "signalr.mjs");
        var hub = new Uri(server.Address, "hub").AbsoluteUri;
        var trust = $"NODE_EXTRA_CA_CERTS={ServedCertificate.AuthorityFile}";
        var output = (await ClientProcess.RunAsync("env", trust, "node", script, hub, transport)).Succeeded;

        var said = JsonSerializer.Deserialize<Said>(output, JsonSerializerOptions.Web)!;
        Assert.Equal("hello \U0001F30D", said.Echo);
        Assert.Equal(1_000_000, said.Large);
        Assert.Contains("on purpose", said.Error, StringComparison.Ordinal);
        Assert.Equal("you?!", said.Answer);
        Assert.Equal(Enumerable.Range(0, 20).Select(number => $"{number}"), said.Heard);
        Assert.Equal(Hundred, said.Counted);
        Assert.Equal(Hundred.Select(item => item * 2), said.Doubled);
        Assert.Equal(Hundred.Sum(), said.Sum);
        Assert.Equal(transport == "LongPolling" ? null : "again", said.Reconnected);
    }

    private sealed record Said(
        string Echo, int Large, string Error, string Answer, string[] Heard, int[] Counted, int[] Doubled, int Sum, string? Reconnected);
}

internal sealed class PageHub : Hub
{
    public string Echo(string text) => text;

    public void Fail() => throw new HubException("on purpose");

    public void Drop() => Context.GetHttpContext()!.Abort();

    public Task Tell(string text) => Clients.All.SendAsync("Hear", text);

    public Task<string> AskBack(string question) => Clients.Caller.InvokeAsync<string>("Ask", question, Context.ConnectionAborted);

    public async IAsyncEnumerable<int> Count(int count)
    {
        for (var item = 0; item < count; item++)
        {
            await Task.Yield();
            yield return item;
        }
    }

    public async IAsyncEnumerable<int> Double(IAsyncEnumerable<int> items)
    {
        await foreach (var item in items)
            yield return item * 2;
    }

    public async Task<int> Sum(IAsyncEnumerable<int> items)
    {
        var sum = 0;
        await foreach (var item in items)
            sum += item;
        return sum;
    }
}
