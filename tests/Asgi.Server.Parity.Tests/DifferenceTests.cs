// Holds both servers to the table of Differences.cs. A row that turns out equal fails here as surely as one that turns out otherwise.

using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

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
    public async Task Trailers_of_a_response(HostKind host)
    {
        bool? supported = null;
        Exception? appended = null;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            supported = context.Response.SupportsTrailers();
            context.Response.DeclareTrailer("X-Sum");
            await context.Response.WriteAsync("hello");
            appended = Record.Exception(() => context.Response.AppendTrailer("X-Sum", "1"));
        });

        var trailers = string.Join(' ', exchange.Answer.Trailers.Select(line => $"{line.Key}: {line.Value}"));
        Assert.Equal(Differences.ResponseTrailers.On(host), appended?.GetType().Name ?? trailers);
        Assert.Equal(appended is null, supported);
        Assert.Equal("X-Sum", exchange.Answer.Field("Trailer"));
        Assert.Equal("200 open", exchange.Outcome);
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
        var outcome = await OutcomeOfHalfCloseAsync(kind, options => options.Limits.HalfCloseTimeout = TimeSpan.FromMilliseconds(1));

        Assert.Equal(Differences.AnswerAfterHalfClose.On(kind), outcome);
    }

    // HalfClose = Abort takes the difference away: RequestAborted fires long before the timeout.
    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_half_close_may_abort_as_on_Kestrel(HostKind kind)
    {
        var outcome = await OutcomeOfHalfCloseAsync(kind, options =>
        {
            options.HalfClose = HalfCloseBehavior.Abort;
            options.Limits.HalfCloseTimeout = Timeout.InfiniteTimeSpan;
        });

        Assert.Equal(Differences.AnswerAfterHalfClose.On(HostKind.Kestrel), outcome);
    }

    private static async Task<string> OutcomeOfHalfCloseAsync(HostKind kind, Action<AsgiServerOptions> options)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await ParityHost.StartAsync(kind, builder => builder.Services.Configure(options), _ => { });
        host.With(async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("hello");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        client.ShutdownSend();
        await aborted.Task.WaitAsync(Hosts.Patience);
        return new RawExchange(await client.ReadResponseAsync(), StaysOpen: false).Outcome;
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Expected_content_that_is_never_read(HostKind host)
    {
        const string Request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

        var exchange = await hosts.ExchangeAsync(host, Request, _ => Task.CompletedTask);

        Assert.Equal(Differences.ExpectAnsweredUnread.On(host), exchange.Outcome);
        Assert.Empty(exchange.Answer.Interim);
    }

    public static TheoryData<HostKind, bool> ReadOrNot => Hosts.SocketsTimes([true, false]);

    [Theory]
    [MemberData(nameof(ReadOrNot))]
    public async Task Malformed_content_that_the_app_swallows_or_does_not_read(HostKind host, bool isRead)
    {
        Exception? swallowed = null;
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked("no size\r\n"), async context =>
        {
            if (isRead)
                swallowed = await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null));
        });

        Assert.Equal(isRead, swallowed is BadHttpRequestException);
        Assert.Equal("200 closed", exchange.Outcome);
        Assert.Equal(Differences.ConnectionAfterBadContent.On(host), exchange.Answer.Field("Connection"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_status_of_five_digits(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context => Answer(context, 10_000));

        Assert.Equal(Differences.StatusOfFiveDigits.On(host), exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_status_of_four_digits_is_sent(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context => Answer(context, 9_999));

        Assert.Equal("9999 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_transfer_coding_without_content(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers.TransferEncoding = "chunked";
            return Answer(context, 204);
        });

        Assert.Equal(Differences.CodingWithoutContent.On(host), exchange.Outcome);
    }

    public static TheoryData<HostKind, int> StatusesWithoutContent => Hosts.SocketsTimes([204, 205, 304]);

    [Theory]
    [MemberData(nameof(StatusesWithoutContent))]
    public async Task Content_where_none_may_be(HostKind host, int status)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.StatusCode = status;
            return context.Response.Body.WriteAsync("hello"u8.ToArray()).AsTask();
        });

        var outcome = Differences.ContentWhereNoneMayBe.On(host).Replace("the status,", $"{status}", StringComparison.Ordinal);
        Assert.Equal(outcome, exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_writer_completed_asynchronously_with_an_error_after_the_start(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            await context.Response.WriteAsync("hello");
            await context.Response.BodyWriter.CompleteAsync(new TimeoutException());
        });

        // A reset may overtake what was sent.
        Assert.Equal(Differences.WriterCompletedWithError.On(host), exchange.Outcome == "none" ? "200 cut" : exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_length_beside_the_apps_own_coding(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers.TransferEncoding = "chunked";
            context.Response.ContentLength = 5;
            return context.Response.WriteAsync(Wire.Chunk("hello") + Wire.LastChunk);
        });

        Assert.Equal(Differences.LengthWithOwnCoding.On(host), exchange.Answer.Framing);
        Assert.Equal("hello", exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task An_upgrade_in_http_1_0(HostKind host)
    {
        bool? upgradable = null;
        await hosts.ExchangeAsync(host, "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", context =>
        {
            upgradable = context.Features.Get<IHttpUpgradeFeature>()!.IsUpgradableRequest;
            return Task.CompletedTask;
        });

        Assert.Equal(Differences.UpgradeOn10.On(host), upgradable);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Request_headers_are_enumerated_in_order(HostKind host)
    {
        string? names = null;
        await hosts.ExchangeAsync(host, "GET / HTTP/1.1\r\nX-A: 1\r\nUser-Agent: a\r\nAccept: */*\r\nHost: h\r\n\r\n", context =>
        {
            names = string.Join(' ', context.Request.Headers.Select(header => header.Key));
            return Task.CompletedTask;
        });

        Assert.Equal(Differences.RequestHeaderOrder.On(host), names);
    }

    private static Task Answer(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
