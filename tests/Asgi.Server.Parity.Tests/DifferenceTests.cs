// Holds both servers to the table of Differences.cs. A row that turns out equal fails here as surely as one that turns out otherwise.

using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class DifferenceTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    public static TheoryData<HostKind, string> RequestRows => Hosts.SocketsTimes(Differences.Requests.Select(row => row.Outcome.What));

    [Theory]
    [MemberData(nameof(RequestRows))]
    public async Task A_request_is_judged(HostKind host, string what)
    {
        var (request, outcome) = Differences.Requests.Single(row => row.Outcome.What == what);

        var exchange = await hosts.ExchangeAsync(host, request, context => context.Request.Body.CopyToAsync(context.Response.Body));

        Assert.Equal(outcome.On(host), exchange.Outcome);
    }

    public static TheoryData<HostKind, string> AbsoluteRows => Hosts.SocketsTimes(Differences.AbsoluteForms.Select(row => row.Target));

    [Theory]
    [MemberData(nameof(AbsoluteRows))]
    public async Task An_absolute_form_target_has_the_path(HostKind host, string target)
    {
        var (_, path) = Differences.AbsoluteForms.Single(row => row.Target == target);
        string? seen = null;

        await hosts.ExchangeAsync(host, $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", context =>
        {
            seen = context.Request.Path.Value;
            return Task.CompletedTask;
        });

        Assert.Equal(path.On(host), seen);
    }

    public static TheoryData<HostKind, string> BadReasons => Hosts.SocketsTimes(["OK\r\nX: y", "O\rK", "O\nK"]);

    [Theory]
    [MemberData(nameof(BadReasons))]
    public async Task A_reason_phrase_with_a_line_end(HostKind host, string reason)
    {
        Exception? refusal = null;
        await hosts.GetAsync(host, context =>
        {
            var response = context.Features.Get<IHttpResponseFeature>()!;
            refusal = Record.Exception(() => response.ReasonPhrase = reason);
            response.ReasonPhrase = null;
            return Task.CompletedTask;
        });

        Assert.Equal(Differences.ReasonPhraseWithLineEnd.On(host), refusal is InvalidOperationException);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_body_advanced_and_never_flushed(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            "hello"u8.CopyTo(context.Response.BodyWriter.GetSpan(5));
            context.Response.BodyWriter.Advance(5);
            return Task.CompletedTask;
        });

        Assert.Equal(Differences.UnflushedBody.On(host), exchange.Answer.Framing);
        Assert.Equal("hello", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Trailers_of_an_empty_body(HostKind host)
    {
        bool? available = null;
        await hosts.ExchangeAsync(host, Wire.Post(""), context =>
        {
            available = context.Request.CheckTrailersAvailable();
            return Task.CompletedTask;
        });

        Assert.Equal(Differences.TrailersWithLengthZero.On(host), available);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_half_close_aborts_and_the_answer_goes(HostKind kind)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("hello");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        client.ShutdownSend();
        await aborted.Task.WaitAsync(Hosts.Patience);
        var exchange = new RawExchange(await client.ReadResponseAsync(), StaysOpen: false);

        Assert.Equal(Differences.AnswerAfterHalfClose.On(kind), exchange.Outcome);
    }
}
