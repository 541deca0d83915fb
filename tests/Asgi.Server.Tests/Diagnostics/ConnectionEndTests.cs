// Why connections end: error.type of asgi.server.connection.duration, in Kestrel's words; the first cause wins, and a clean end has none.
// Those of HTTP/2 are in Http2ConnectionEndTests.

using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Asgi.Server.Tests.Connections.Tls;
using Microsoft.AspNetCore.Connections.Features;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class ConnectionEndTests
{
    private const string Close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    [Fact]
    public void Each_reason_but_none_has_a_test_here()
    {
        var tested = typeof(ConnectionEndTests).GetMethods()
            .SelectMany(method => method.GetCustomAttributes(typeof(EndsAttribute), false).Cast<EndsAttribute>())
            .Select(ends => ends.Reason)
            .Concat(Http2ConnectionEndTests.Tested);

        Assert.Equal(Enum.GetValues<ConnectionEndReason>().Skip(1), tested.Distinct().Order());
    }

    [Fact]
    [Ends(ConnectionEndReason.ClientClosed)]
    public void A_client_that_closes_between_requests_is_no_error() =>
        AssertEnd(ConnectionEndReason.ClientClosed, null, Apps.Path, Get, client => client.ShutdownSend());

    [Fact]
    [Ends(ConnectionEndReason.ClientClosed)]
    public void A_client_that_has_half_closed_and_is_given_up_is_no_error()
    {
        using var run = new Run(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            await exchange.FlushAsync();
            var left = new TaskCompletionSource();
            exchange.Disconnected.Register(left.SetResult);
            await left.Task;
            throw new IOException("The client has left.");
        });
        var client = run.Server.Connect(Get);
        client.ShutdownSend();
        run.Server.Advance(11_000);

        run.AssertEnd(ConnectionEndReason.ClientClosed, null);
    }

    [Fact]
    [Ends(ConnectionEndReason.ClientClosed)]
    public void A_half_close_that_aborts_is_no_error() => AssertEnd(
        ConnectionEndReason.ClientClosed,
        null,
        async exchange =>
        {
            var left = new TaskCompletionSource();
            exchange.Disconnected.Register(left.SetResult);
            await left.Task;
        },
        Get,
        client => client.ShutdownSend(),
        limits: new ConnectionLimits { AbortsOnHalfClose = true });

    [Fact]
    [Ends(ConnectionEndReason.ResponseNoKeepAlive)]
    public void Connection_close_is_no_error() => AssertEnd(ConnectionEndReason.ResponseNoKeepAlive, null, Apps.Path, Close);

    [Fact]
    [Ends(ConnectionEndReason.ResponseNoKeepAlive)]
    public void What_comes_after_a_clean_end_changes_nothing() =>
        AssertEnd(ConnectionEndReason.ResponseNoKeepAlive, null, Apps.Path, Close + "more", client => client.Reset());

    [Fact]
    [Ends(ConnectionEndReason.GracefulShutdown)]
    public void A_stop_of_the_server_between_requests_is_no_error()
    {
        using var run = new Run(Apps.Path);
        run.Server.Connect(Get);
        _ = run.Server.ShutDown();
        run.Server.Run();

        run.AssertEnd(ConnectionEndReason.GracefulShutdown, null);
    }

    [Fact]
    [Ends(ConnectionEndReason.EndpointRemoved)]
    public void The_end_of_an_endpoint_between_requests_is_no_error()
    {
        using var run = new Run(Apps.Path);
        run.Server.Connect(Get);
        run.Server.End(graceMilliseconds: 5000);

        run.AssertEnd(ConnectionEndReason.EndpointRemoved, null);
    }

    [Fact]
    [Ends(ConnectionEndReason.ConnectionAge)]
    public void The_end_of_an_old_connection_is_no_error() => AssertEnd(
        ConnectionEndReason.ConnectionAge,
        null,
        Apps.Path,
        Get,
        milliseconds: 1100,
        limits: new ConnectionLimits { AgeMaxMilliseconds = 1000 });

    [Fact]
    [Ends(ConnectionEndReason.ErrorAfterStartingResponse)]
    public void An_application_that_fails_after_the_start() => AssertEnd(
        ConnectionEndReason.ErrorAfterStartingResponse,
        "error_after_starting_response",
        async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            await exchange.FlushAsync();
            throw new InvalidOperationException("The application's.");
        },
        Get,
        milliseconds: 6000);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Ends(ConnectionEndReason.ConnectionReset)]
    public void A_client_that_resets(bool isInRequest)
    {
        var end = new TaskCompletionSource();
        using var run = new Run(async exchange =>
        {
            await (isInRequest ? end.Task : Task.CompletedTask);
            await Apps.Path(exchange);
        });
        var client = run.Server.Connect(Get);
        client.Reset();
        run.Server.Run();
        SimulatedServer.OffLoop(end.SetResult);
        run.Server.Run();

        run.AssertEnd(ConnectionEndReason.ConnectionReset, "connection_reset");
    }

    [Fact]
    [Ends(ConnectionEndReason.ConnectionReset)]
    public void A_client_that_resets_while_the_app_has_asked_for_an_end_after_the_response()
    {
        var end = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(async context =>
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
            await end.Task;
        });
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");
        server.Connect(Get).Reset();
        server.Run();
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal("connection_reset", Assert.Single(probe.All).Tags["error.type"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Get)]
    [Ends(ConnectionEndReason.KeepAliveTimeout)]
    public void A_client_that_sends_no_further_request(string sent) =>
        AssertEnd(ConnectionEndReason.KeepAliveTimeout, "keep_alive_timeout", Apps.Path, sent, milliseconds: 131_000);

    [Theory]
    [InlineData("GET /")]
    [InlineData("GET / HTTP/1.1\r\nHost:")]
    [Ends(ConnectionEndReason.RequestHeadersTimeout)]
    public void A_head_that_takes_too_long(string sent) =>
        AssertEnd(ConnectionEndReason.RequestHeadersTimeout, "request_headers_timeout", Apps.Path, sent, milliseconds: 37_000);

    [Fact]
    [Ends(ConnectionEndReason.MinRequestBodyDataRate)]
    public void Content_that_comes_too_slowly() => AssertEnd(
        ConnectionEndReason.MinRequestBodyDataRate,
        "min_request_body_data_rate",
        Apps.EchoWhole,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
        milliseconds: 20_000);

    [Fact]
    [Ends(ConnectionEndReason.MinResponseDataRate)]
    public void A_response_that_is_taken_too_slowly()
    {
        using var run = new Run(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            await exchange.SendAsync(new ResponseBody(new byte[1_000_000], MoreBody: true));
        });
        var client = run.Server.Connect();
        client.Window = 1000;
        client.Send(Get);
        run.Server.Advance(600_000);

        run.AssertEnd(ConnectionEndReason.MinResponseDataRate, "min_response_data_rate");
    }

    [Fact]
    [Ends(ConnectionEndReason.ServerTimeout)]
    public void Content_that_nobody_reads_and_that_does_not_end() => AssertEnd(
        ConnectionEndReason.ServerTimeout,
        "server_timeout",
        Apps.Path,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
        milliseconds: 11_000);

    [Theory]
    [InlineData("G<T / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET a HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\nHost: a\r\n\r\n")]
    [InlineData("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET * HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Ends(ConnectionEndReason.InvalidRequestLine)]
    public void A_request_line_that_is_refused(string sent) =>
        AssertEnd(ConnectionEndReason.InvalidRequestLine, "invalid_request_line", Apps.Path, sent, milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.InvalidRequestLine)]
    public void A_request_line_that_is_too_long() => AssertEnd(
        ConnectionEndReason.InvalidRequestLine,
        "invalid_request_line",
        Apps.Path,
        $"GET /{new string('x', 9000)} HTTP/1.1\r\nHost: a\r\n\r\n",
        milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.InvalidRequestLine)]
    public void Half_a_request_line() =>
        AssertEnd(ConnectionEndReason.InvalidRequestLine, "invalid_request_line", Apps.Path, "GET", client => client.ShutdownSend());

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost : a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\nb: c\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")]
    [Ends(ConnectionEndReason.InvalidRequestHeaders)]
    public void Field_lines_that_are_refused(string sent) =>
        AssertEnd(ConnectionEndReason.InvalidRequestHeaders, "invalid_request_headers", Apps.Path, sent, milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.InvalidRequestHeaders)]
    public void Half_a_head() => AssertEnd(
        ConnectionEndReason.InvalidRequestHeaders,
        "invalid_request_headers",
        Apps.Path,
        "GET / HTTP/1.1\r\nHost: a\r\n",
        client => client.ShutdownSend());

    [Fact]
    [Ends(ConnectionEndReason.InvalidRequestHeaders)]
    public void Trailers_that_are_refused() => AssertEnd(
        ConnectionEndReason.InvalidRequestHeaders,
        "invalid_request_headers",
        Apps.EchoWhole,
        Chunks + "0\r\nbad trailer: x\r\n\r\n",
        milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.InvalidHttpVersion)]
    public void A_version_that_is_unknown() => AssertEnd(
        ConnectionEndReason.InvalidHttpVersion, "invalid_http_version", Apps.Path, "GET / HTTP/2.0\r\nHost: a\r\n\r\n", milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.MaxRequestHeadersTotalSizeExceeded)]
    public void Field_lines_that_are_too_long() => AssertEnd(
        ConnectionEndReason.MaxRequestHeadersTotalSizeExceeded,
        "max_request_headers_total_size_exceeded",
        Apps.Path,
        $"GET / HTTP/1.1\r\nHost: a\r\nx: {new string('x', 40_000)}\r\n\r\n",
        milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.MaxRequestHeaderCountExceeded)]
    public void Field_lines_that_are_too_many() => AssertEnd(
        ConnectionEndReason.MaxRequestHeaderCountExceeded,
        "max_request_header_count_exceeded",
        Apps.Path,
        $"GET / HTTP/1.1\r\nHost: a\r\n{Apps.Repeat("x: y\r\n", 100)}\r\n",
        milliseconds: 6000);

    [Theory]
    [InlineData("Content-Length: 9\r\n\r\nhelloyou!")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n9\r\nhelloyou!\r\n0\r\n\r\n")]
    [Ends(ConnectionEndReason.MaxRequestBodySizeExceeded)]
    public void Content_that_is_too_long(string rest) => AssertEnd(
        ConnectionEndReason.MaxRequestBodySizeExceeded,
        "max_request_body_size_exceeded",
        Apps.EchoWhole,
        $"POST / HTTP/1.1\r\nHost: a\r\n{rest}",
        milliseconds: 6000,
        limits: new ConnectionLimits { ContentLengthMax = 8 });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Ends(ConnectionEndReason.UnexpectedEndOfRequestContent)]
    public void Content_that_its_client_cuts_off(bool isRead) => AssertEnd(
        ConnectionEndReason.UnexpectedEndOfRequestContent,
        "unexpected_end_of_request_content",
        isRead ? Apps.EchoWhole : Apps.Path,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
        client => client.ShutdownSend());

    [Theory]
    [InlineData(4, true)]
    [InlineData(4, false)]
    [InlineData(0, true)]
    [InlineData(6, true)]
    [InlineData(6, false)]
    [Ends(ConnectionEndReason.ResponseContentLengthMismatch)]
    public void A_response_of_another_length_than_announced(int length, bool isStarted) => AssertEnd(
        ConnectionEndReason.ResponseContentLengthMismatch,
        "response_content_length_mismatch",
        async exchange =>
        {
            exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", "5")));
            if (isStarted)
            {
                await exchange.FlushAsync();
            }

            await exchange.SendAsync(new ResponseBody(new byte[length]));
        },
        Get,
        milliseconds: 6000);

    [Fact]
    [Ends(ConnectionEndReason.AbortedByApp)]
    public void An_application_that_aborts() => AssertEnd(
        ConnectionEndReason.AbortedByApp,
        "aborted_by_app",
        exchange =>
        {
            exchange.Abort();
            return default;
        },
        Get);

    [Fact]
    [Ends(ConnectionEndReason.AppShutdownTimeout)]
    public void A_request_that_outlives_the_stop()
    {
        var end = new TaskCompletionSource();
        using var run = new Run(async exchange =>
        {
            await end.Task;
            await Apps.Path(exchange);
        });
        run.Server.Connect(Get);
        _ = run.Server.ShutDown();
        run.Server.Run();
        run.Server.AbortAll();
        run.Server.Run();
        SimulatedServer.OffLoop(end.SetResult);
        run.Server.Run();

        run.AssertEnd(ConnectionEndReason.AppShutdownTimeout, "app_shutdown_timeout");
    }

    [Fact]
    [Ends(ConnectionEndReason.WriteCanceled)]
    public void A_write_that_the_application_cancels()
    {
        using var cancellation = new CancellationTokenSource();
        using var run = new Run(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            await exchange.SendAsync(new ResponseBody(new byte[1_000_000], MoreBody: true), cancellation.Token);
        });
        var client = run.Server.Connect();
        client.Window = 1000;
        client.Send(Get);
        run.Server.Run();
        SimulatedServer.OffLoop(cancellation.Cancel);
        run.Server.Run();

        run.AssertEnd(ConnectionEndReason.WriteCanceled, "write_canceled");
    }

    [Fact]
    [Ends(ConnectionEndReason.MaxConcurrentConnectionsExceeded)]
    public void One_more_connection_than_there_may_be()
    {
        using var run = new Run(Apps.Path, new ConnectionLimits { Connections = new ConcurrencyLimit(1) });
        run.Server.Connect(Get);
        run.Server.Connect();
        run.Server.Run();

        run.AssertEnd(expected: null, "max_concurrent_connections_exceeded");
    }

    [Fact]
    [Ends(ConnectionEndReason.UnhandledException)]
    public void An_exception_that_nobody_can_answer_is_told_by_its_type()
    {
        var end = new TaskCompletionSource();
        using var run = new Run(async exchange =>
        {
#pragma warning disable CA2012 // A continuation that throws is what the test is about.
            exchange.ReceiveAsync().GetAwaiter().UnsafeOnCompleted(() => throw new NotFiniteNumberException());
#pragma warning restore CA2012
            await end.Task;
        });
        var client = run.Server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
        client.Send("hello");
        run.Server.Run();
        SimulatedServer.OffLoop(end.SetResult);
        run.Server.Run();

        run.AssertEnd(ConnectionEndReason.UnhandledException, typeof(NotFiniteNumberException).FullName);
    }

    [Theory]
    [InlineData("127.0.0.0/8", "GET / HTTP/1.1\r\n")]
    [InlineData("127.0.0.0/8", "PROXY TCP4 1.2.3.4\r\n")]
    [InlineData("127.0.0.0/8", "PROXY")]
    [InlineData("10.0.0.0/8", "PROXY UNKNOWN\r\n")]
    [Ends(ConnectionEndReason.InvalidProxyHeader)]
    public void No_header_of_a_trusted_proxy(string trusted, string sent)
    {
        var rules = new ProxyProtocolRules { TrustedNetworks = [IPNetwork.Parse(trusted)] };
        using var run = new Run(Apps.Path, before: http => connection => new ProxyProtocolDriver(connection, rules, http));
        run.Server.Connect(sent);
        run.Server.Advance(rules.TimeoutMilliseconds + 1000);

        run.AssertEnd(ConnectionEndReason.InvalidProxyHeader, "invalid_proxy_header");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\x16\x03\x01\x00\x04\x01\x00\x00\x00")]
    [InlineData("\x16\x03\x01")]
    [InlineData("")]
    [Ends(ConnectionEndReason.TlsHandshakeFailed)]
    public void No_handshake_of_TLS(string sent)
    {
        using var run = new Run(Apps.Path, before: http =>
        {
            var rules = TlsBed.Rules(http);
            return connection => new TlsDriver(connection, rules);
        });
        run.Server.Connect(sent);
        run.Server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault + 10_000);

        run.AssertEnd(ConnectionEndReason.TlsHandshakeFailed, "tls_handshake_failed");
    }

    [Fact]
    [Ends(ConnectionEndReason.InsufficientTlsVersion)]
    public void A_version_of_TLS_that_is_too_old_for_what_was_agreed_on()
    {
        using var run = new Run(Apps.Path, before: _ => connection => new InadequateTlsDriver(connection));
        run.Server.Connect();
        run.Server.Advance(10_000);

        run.AssertEnd(ConnectionEndReason.InsufficientTlsVersion, "insufficient_tls_version");
    }

    [Theory]
    [InlineData("zz\r\n")]
    [InlineData("5\r\nhelloXX")]
    [Ends(ConnectionEndReason.OtherError)]
    public void Chunks_that_are_malformed(string chunk) =>
        AssertEnd(ConnectionEndReason.OtherError, "other_error", Apps.EchoWhole, Chunks + chunk, milliseconds: 6000);

    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private const string Chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static void AssertEnd(
        ConnectionEndReason reason,
        string? errorType,
        Func<HttpExchange, ValueTask> application,
        string sent,
        Action<SimulatedClient>? then = null,
        long milliseconds = 0,
        ConnectionLimits? limits = null) => Seeds.Run(3, seed =>
    {
        using var run = new Run(application, limits, seed);
        var client = run.Server.Connect(sent);
        then?.Invoke(client);
        run.Server.Advance(milliseconds);

        run.AssertEnd(reason, errorType);
    });

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class EndsAttribute(ConnectionEndReason reason) : Attribute
    {
        public ConnectionEndReason Reason => reason;
    }

    private sealed class Run : IDisposable
    {
        private readonly MeterProbe _probe;

        public Run(
            Func<HttpExchange, ValueTask> application,
            ConnectionLimits? limits = null,
            int seed = 0,
            Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>>? before = null)
        {
            Server = new SimulatedServer(application, seed, limits, before: before);
            _probe = new MeterProbe(Server.Diagnostics.Metrics, "connection.duration");
        }

        public SimulatedServer Server { get; }

        /// <summary>One connection has ended so; the log's word for it is the reason's name.</summary>
        public void AssertEnd(ConnectionEndReason? expected, string? errorType)
        {
            var duration = Assert.Single(_probe.All);
            Assert.Equal(errorType, duration.Tags.GetValueOrDefault("error.type"));
            if (expected is { } reason and not ConnectionEndReason.ConnectionReset)
            {
                var because = $" because: {reason}";
                Assert.Contains(
                    Server.Log.Entries, entry => entry.Id.Id is 7 or 8 && entry.Message.EndsWith(because, StringComparison.Ordinal));
            }
        }

        public void Dispose()
        {
            _probe.Dispose();
            Server.Dispose();
        }
    }
}
