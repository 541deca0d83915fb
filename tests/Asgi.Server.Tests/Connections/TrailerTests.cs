// Trailers of responses on the simulated loop (RFC 9110, section 6.5; RFC 9112, section 7.1.2): when they are sent, when they are dropped,
// and what may not be one.

using System.Text;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class TrailerTests
{
    private static readonly ResponseTrailers Sum = new(new FieldList().Add("X-Sum", "1").Add("X-Sum", "2").Add("Server-Timing", "app"));

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Trailers_stand_behind_the_content(bool isFlushed, bool isOffLoop) => Seeds.Run(15, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                exchange.Send(new ResponseStart(200) { Trailers = true });
                await exchange.SendAsync(new ResponseBody("content"u8.ToArray(), MoreBody: isFlushed));
                if (isFlushed)
                {
                    await (isOffLoop ? hops.Next() : Task.CompletedTask);
                    await exchange.SendAsync(default);
                }

                await exchange.SendAsync(Sum);
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);

        hops.RunAll(server);

        Assert.Equal(2, Responses.Of(client).Count);
        Assert.All(Responses.Of(client), response =>
        {
            Assert.Equal(("chunked", "content", true), (response.Framing, response.Content, response.IsComplete));
            Assert.Equal(["X-Sum: 1", "X-Sum: 2", "Server-Timing: app"], Lines(response));
        });
        Assert.EndsWith(
            "7\r\ncontent\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\nServer-Timing: app\r\n\r\n", client.Received, StringComparison.Ordinal);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_response_is_not_complete_without_the_trailers_it_announced() => Seeds.Run(5, seed =>
    {
        using var server = new SimulatedServer(
            exchange =>
            {
                exchange.Send(new ResponseStart(200) { Trailers = true });
                return exchange.SendAsync(new ResponseBody("content"u8.ToArray()));
            },
            seed);

        var client = server.Connect(Apps.Get);

        Assert.False(Assert.Single(Responses.Of(client)).IsComplete);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, null, "chunked")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, "7", "length 7")]
    [InlineData("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, null, "length 7")]
    [InlineData("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, null, "none")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 204, null, "none")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 304, null, "none")]
    public void Without_a_place_for_them_trailers_are_dropped(string request, int status, string? length, string framing)
    {
        using var server = new SimulatedServer(async exchange =>
        {
            var fields = length is null ? null : new FieldList().Add("Content-Length", length);
            exchange.Send(new ResponseStart(status, fields) { Trailers = true });
            await exchange.SendAsync(new ResponseBody(status == 200 ? "content"u8.ToArray() : default));
            await exchange.SendAsync(Sum);
        });
        var method = request.Split(' ')[0];

        var client = server.Connect(request + request);

        Assert.Equal([framing, framing], Responses.Of(client, method, method).Select(response => response.Framing));
        Assert.All(Responses.Of(client, method, method), response =>
        {
            Assert.True(response.IsComplete);
            Assert.Equal(framing == "chunked" ? 3 : 0, response.Trailers.Count);
        });
        Assert.DoesNotContain(server.Log.Entries, entry => entry.Exception is not null);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Trailers_behind_no_content_are_sent()
    {
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200) { Trailers = true });
            await exchange.SendAsync(default);
            await exchange.SendAsync(new ResponseTrailers(new FieldList().Add("A", "b")));
        });

        var client = server.Connect(Apps.Get);

        Assert.EndsWith("chunked\r\n\r\n0\r\nA: b\r\n\r\n", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Trailers_may_be_longer_than_a_block() => Seeds.Run(4, seed =>
    {
        var value = new string('v', 40_000);
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200) { Trailers = true });
                await exchange.SendAsync(new ResponseBody("content"u8.ToArray()));
                await exchange.SendAsync(new ResponseTrailers(new FieldList().Add("A", value)));
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));

        var client = server.Connect(Apps.Get + Apps.Get);

        Assert.Equal([$"A: {value}", $"A: {value}"], Responses.Of(client).SelectMany(Lines));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("Content-Length", "7")]
    [InlineData("content-type", "text/plain")]
    [InlineData("Host", "a")]
    [InlineData("Set-Cookie", "a=b")]
    [InlineData("Trailer", "a")]
    public void A_field_that_is_needed_before_the_content_is_no_trailer(string name, string value)
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200) { Trailers = true });
            await exchange.SendAsync(new ResponseBody("content"u8.ToArray()));
            error = await Record.ExceptionAsync(
                () => exchange.SendAsync(new ResponseTrailers(new FieldList().Add("A", "b").Add(name, value))).AsTask());
            await exchange.SendAsync(new ResponseTrailers(null));
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        Assert.EndsWith("content\r\n0\r\n\r\n", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false, "content", false)]
    [InlineData(true, null, false)]
    [InlineData(true, "more", true)]
    public void Trailers_come_last_and_were_announced(bool isAnnounced, string? content, bool isMore)
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200) { Trailers = isAnnounced });
            if (content is not null)
            {
                await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(content), isMore));
            }

            error = await Record.ExceptionAsync(() => exchange.SendAsync(Sum).AsTask());
        });

        server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Nothing_but_trailers_follows_the_last_content()
    {
        var errors = new List<Exception?>();
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200) { Trailers = true });
            await exchange.SendAsync(new ResponseBody("content"u8.ToArray()));
            errors.Add(await Record.ExceptionAsync(() => exchange.SendAsync(default).AsTask()));
            errors.Add(await Record.ExceptionAsync(() => exchange.FlushAsync().AsTask()));
            errors.Add(Record.Exception(() => exchange.Advance(0)));
            await exchange.SendAsync(Sum);
        });

        var client = server.Connect(Apps.Get);

        Assert.All(errors, error => Assert.IsType<InvalidOperationException>(error));
        Assert.True(Assert.Single(Responses.Of(client)).IsComplete);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void An_ASP_NET_response_has_the_trailers_that_were_appended(bool isFlushed, bool isCompleted)
    {
        using var server = HostedDelegate.Serve(async context =>
        {
            Assert.True(context.Response.SupportsTrailers());
            context.Response.DeclareTrailer("X-Sum");
            if (isFlushed)
            {
                await context.Response.WriteAsync("content");
            }
            else
            {
                "content"u8.CopyTo(context.Response.BodyWriter.GetSpan(7));
                context.Response.BodyWriter.Advance(7);
            }

            context.Response.AppendTrailer("X-Sum", "1");
            if (isCompleted)
            {
                await context.Response.CompleteAsync();
                Assert.False(context.Response.SupportsTrailers());
            }
        });

        var client = server.Connect(Apps.Get + Apps.Get);

        Assert.Equal(2, Responses.Of(client).Count);
        Assert.All(Responses.Of(client), response =>
        {
            Assert.Equal(("chunked", "content", true), (response.Framing, response.Content, response.IsComplete));
            Assert.Equal("X-Sum", response.Field("Trailer"));
            Assert.Equal(["X-Sum: 1"], Lines(response));
        });
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", null, true)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 7L, false)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", null, false)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", null, false)]
    public void An_ASP_NET_app_is_told_whether_trailers_have_a_place(string request, long? length, bool isSupported)
    {
        bool? before = null, after = null;
        Exception? refused = null;
        using var server = HostedDelegate.Serve(async context =>
        {
            before = context.Response.SupportsTrailers();
            context.Response.ContentLength = length;
            await context.Response.StartAsync();
            after = context.Response.SupportsTrailers();
            refused = Record.Exception(() => context.Response.AppendTrailer("A", "b"));
            await context.Response.WriteAsync("content");
        });

        server.Connect(request);

        Assert.Equal((length is not null || isSupported, isSupported), (before, after));
        Assert.Equal(isSupported, refused is null);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_trailer_that_must_not_be_one_is_refused_where_it_is_set()
    {
        var errors = new List<Exception?>();
        using var server = HostedDelegate.Serve(context =>
        {
            var trailers = context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers;
            errors.Add(Record.Exception(() => trailers["Content-Type"] = "text/plain"));
            errors.Add(Record.Exception(() => trailers.ContentLength = 1));
            errors.Add(Record.Exception(() => trailers["A"] = "b\r\nC: d"));
            errors.Add(Record.Exception(() => trailers["not a token"] = "b"));
            trailers["A"] = "b";
            return context.Response.WriteAsync("content");
        });

        var client = server.Connect(Apps.Get);

        Assert.All(errors, error => Assert.IsType<InvalidOperationException>(error));
        Assert.Equal(["A: b"], Lines(Assert.Single(Responses.Of(client))));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Trailers_that_an_app_has_replaced_are_checked_when_they_are_sent()
    {
        var trailers = new HeaderDictionary { ["A"] = "b" };
        using var server = HostedDelegate.Serve(context =>
        {
            context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers = trailers;
            return context.Response.WriteAsync("content");
        });
        var client = server.Connect(Apps.Get);
        Assert.Equal(["A: b"], Lines(Assert.Single(Responses.Of(client))));

        trailers["Content-Type"] = "text/plain";
        var refused = server.Connect(Apps.Get);

        Assert.False(Assert.Single(Responses.Of(refused)).IsComplete);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_error_of_the_app_has_no_trailers()
    {
        using var server = HostedDelegate.Serve(context =>
        {
            context.Response.AppendTrailer("A", "b");
            throw new TimeoutException();
        });

        var client = server.Connect(Apps.Get);

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal((500, "length 0"), (response.Status, response.Framing));
        server.DemandNothingLeft();
    }

    private static IEnumerable<string> Lines(RawResponse response) => response.Trailers.Select(line => $"{line.Key}: {line.Value}");
}
