// What else an app or a client may have come to rely on: the corners of the contract that no other class is about.

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Parity.Tests;

public sealed class ContractTests(ContractTests.WithCountedContexts hosts) : IClassFixture<ContractTests.WithCountedContexts>
{
    private const string Connect = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n";

    private static readonly Dictionary<string, Shape> Shapes = new()
    {
        ["the app names an option that is not keep-alive"] = new(WithField("Connection", "foo"), "200 closed", "length 0"),
        ["the app says upgrade without one"] = new(WithField("Connection", "Upgrade"), "200 closed", "length 0"),
        ["keep-alive among the app's options"] = new(WithField("Connection", "foo, keep-alive"), "200 open", "length 0"),
        ["101 without an upgrade"] = new(Status(101), "101 closed", "none"),
        ["a status of one digit"] = new(Status(7), "7 open", "length 0"),
        ["CONNECT"] = new(Status(200), "200 open", "none") { Request = Connect },
        ["CONNECT refused"] = new(Status(403), "403 open", "length 0") { Request = Connect },
        ["a throw before the start runs no OnStarting"] = new(c =>
        {
            c.Response.OnStarting(() =>
            {
                c.Response.StatusCode = 418;
                return Task.CompletedTask;
            });
            throw new TimeoutException();
        }, "500 open", "length 0"),
        ["the pipe completed with an error before the start"] = new(c =>
        {
            c.Response.BodyWriter.Complete(new TimeoutException());
            return Task.CompletedTask;
        }, "500 open", "length 0"),
        ["a write with a token that is cancelled"] = new(async c =>
        {
            await Record.ExceptionAsync(() => c.Response.WriteAsync("never", new CancellationToken(canceled: true)));
            c.Response.StatusCode = 202;
        }, "202 open", "length 0"),
        ["1.0: content of no length"] = new(Status(200), "400 closed", "length 0") { Request = "POST / HTTP/1.0\r\n\r\n" },
        ["1.0: a PATCH of no length"] = new(Status(200), "200 closed", "length 0") { Request = "PATCH / HTTP/1.0\r\n\r\n" },
        ["1.0: content on a connection that persists"] = new(Read, "200 open", "length 5", "hello")
        { Request = "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello" },
        ["a length with a leading zero"] = new(Read, "200 open", "length 5", "hello")
        { Request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 05\r\n\r\nhello" },
        ["a length with a space behind it"] = new(Read, "200 open", "length 5", "hello")
        { Request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 \r\n\r\nhello" },
        ["a hundred trailers"] = new(Read, "200 open", "length 0") { Request = Wire.PostChunked(Trailers(98)) },
        ["more trailers than fields are allowed"] = new(Read, "431 closed", "length 0") { Request = Wire.PostChunked(Trailers(101)) },
        ["a chunk size of nine digits"] = new(Read, "400 closed", "length 0")
        { Request = Wire.PostChunked("000000005\r\nhello\r\n0\r\n\r\n") },
        ["a chunk size of eight digits"] = new(Read, "200 open", "length 5", "hello")
        { Request = Wire.PostChunked("00000005\r\nhello\r\n0\r\n\r\n") },
    };

    /// <summary>Counts what Hosting makes and disposes of, and keeps the status that its logs and meters see.</summary>
    public sealed class WithCountedContexts : ParityHosts
    {
        internal ContextCounter Counter { get; private set; } = new();

        internal ContextCounter Reset() => Counter = new ContextCounter();

        protected override void Services(WebApplicationBuilder builder) =>
            builder.Services.AddSingleton<IHttpContextFactory>(services => new Factory(new DefaultHttpContextFactory(services), this));

        private sealed class Factory(IHttpContextFactory inner, WithCountedContexts hosts) : IHttpContextFactory
        {
            public HttpContext Create(IFeatureCollection featureCollection)
            {
                hosts.Counter.Created++;
                return inner.Create(featureCollection);
            }

            public void Dispose(HttpContext httpContext)
            {
                hosts.Counter.Dispose(httpContext.Response.StatusCode);
                inner.Dispose(httpContext);
            }
        }
    }

    internal sealed class ContextCounter
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Created { get; set; }

        public List<int> Statuses { get; } = [];

        public Task Disposed => _first.Task.WaitAsync(Hosts.Patience);

        public void Dispose(int status)
        {
            Statuses.Add(status);
            _first.TrySetResult();
        }
    }

    public static TheoryData<HostKind, string> Names => Hosts.SocketsTimes(Shapes.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_client_sees(HostKind host, string name) => await Shapes[name].AssertAsync(await hosts.On(host));

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Content_of_a_coding_the_app_chose_goes_out_as_it_is_and_ends_with_the_connection(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.Headers.TransferEncoding = "gzip";
            return context.Response.WriteAsync("not really");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        var head = await client.ReadHeadAsync();

        Assert.Equal("gzip", head!.Field("Transfer-Encoding"));
        Assert.Equal("close", head.Field("Connection"));
        Assert.Equal("not really", await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task An_error_the_writer_was_completed_with_cuts_the_response(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            await context.Response.WriteAsync("hello");
            context.Response.BodyWriter.Complete(new TimeoutException());
        });

        // A reset may overtake what was sent.
        Assert.True(exchange.Outcome is "200 cut" or "none", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task An_aborted_request_is_a_499_to_logs_and_meters(HostKind kind)
    {
        var counter = hosts.Reset();
        var host = await hosts.On(kind, context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        await host.GetAsync();
        await counter.Disposed;

        Assert.Equal(499, counter.Statuses[0]);
    }

    [Theory]
    [InlineData(HostKind.Kestrel, "ok", 200)]
    [InlineData(HostKind.Kestrel, "throw", 500)]
    [InlineData(HostKind.Kestrel, "bad", 418)]
    [InlineData(HostKind.Kestrel, "cut", 200)]
    [InlineData(HostKind.Asgi, "ok", 200)]
    [InlineData(HostKind.Asgi, "throw", 500)]
    [InlineData(HostKind.Asgi, "bad", 418)]
    [InlineData(HostKind.Asgi, "cut", 200)]
    public async Task A_context_is_disposed_of_once_with_the_status_sent(HostKind kind, string what, int status)
    {
        var counter = hosts.Reset();
        var host = await hosts.On(kind, async context =>
        {
            switch (what)
            {
                case "throw":
                    throw new TimeoutException();
                case "bad":
                    throw new BadHttpRequestException("no", 418);
                case "cut":
                    await context.Response.WriteAsync("hello");
                    throw new TimeoutException();
            }
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.GetAndClose);
        await client.ReadToEndAsync();
        await counter.Disposed;

        Assert.Equal((1, status), (counter.Created, counter.Statuses.Single()));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Trailers_are_not_to_be_had_before_the_content_was_read(HostKind host)
    {
        Exception? early = null;
        string? trailer = null;
        await hosts.ExchangeAsync(host, Wire.PostChunked("5\r\nhello\r\n0\r\nX-End: yes\r\n\r\n"), async context =>
        {
            var trailers = context.Features.Get<IHttpRequestTrailersFeature>()!;
            early = Record.Exception(() => trailers.Trailers);
            await context.Request.Body.CopyToAsync(Stream.Null);
            trailer = trailers.Trailers["X-End"];
        });

        Assert.IsType<InvalidOperationException>(early);
        Assert.Equal("yes", trailer);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_declared_trailer_is_a_field(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.DeclareTrailer("X-End");
            return Task.CompletedTask;
        });

        Assert.Equal("X-End", exchange.Answer.Field("Trailer"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task No_request_of_1_1_is_an_extended_connect(HostKind host)
    {
        bool? isExtended = null;
        Exception? refusal = null;
        var exchange = await hosts.ExchangeAsync(host, Connect, async context =>
        {
            var connect = context.Features.Get<IHttpExtendedConnectFeature>()!;
            isExtended = connect.IsExtendedConnect;
            refusal = await Record.ExceptionAsync(async () => await connect.AcceptAsync());
        });

        Assert.False(isExtended);
        Assert.IsType<InvalidOperationException>(refusal);
        Assert.Equal(200, exchange.Answer.Status);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_request_feature_says_what_was_asked(HostKind host)
    {
        string? seen = null;
        await hosts.ExchangeAsync(host, "GET /a%20b?q=%20 HTTP/1.0\r\nHost: h\r\n\r\n", context =>
        {
            var request = context.Features.Get<IHttpRequestFeature>()!;
            seen = $"{request.Method}|{request.Scheme}|{request.PathBase}|{request.Path}|{request.QueryString}|{request.RawTarget}|" +
                request.Protocol;
            return Task.CompletedTask;
        });

        Assert.Equal("GET|http||/a b|?q=%20|/a%20b?q=%20|HTTP/1.0", seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Limits_are_closed_after_an_upgrade(HostKind kind)
    {
        Exception? size = null;
        var host = await hosts.On(kind, async context =>
        {
            var feature = context.Features.Get<IHttpMaxRequestBodySizeFeature>()!;
            await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
            size = Record.Exception(() => feature.MaxRequestBodySize = 5);
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        await client.ReadToEndAsync();

        Assert.IsType<InvalidOperationException>(size);
    }

    private static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static RequestDelegate WithField(string name, string value) => context =>
    {
        context.Response.Headers[name] = value;
        return Task.CompletedTask;
    };

    private static async Task Read(HttpContext context)
    {
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content);
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content.ToArray());
    }

    private static string Trailers(int count) => $"0\r\n{string.Concat(Enumerable.Range(0, count).Select(i => $"X-{i}: y\r\n"))}\r\n";
}
