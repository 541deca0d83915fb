// The access log: one line for each response, off unless asked for, and safe to read whatever clients send.

using System.Text;
using Asgi.Server.Diagnostics;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class AccessLogTests
{
    [Fact]
    public void Each_response_is_one_line()
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await end.Task;
                await Apps.Path(exchange);
            },
            logsAccess: true);
        server.Connect("GET /hello?a=b HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
        server.Advance(1500);
        Assert.Empty(Lines(server));

        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal(
            ["127.0.0.1 \"GET /hello?a=b HTTP/1.1\" 200 6 1500 ms", "127.0.0.1 \"GET /2 HTTP/1.0\" 200 2 0 ms"], Lines(server));
        var entry = server.Log.Entries.First(entry => entry.Category == "Asgi.Server.AccessLog");
        Assert.Equal((LogLevel.Information, 120), (entry.Level, entry.Id.Id));
    }

    [Fact]
    public void Nothing_is_logged_unless_the_option_says_so()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect(Apps.Get + "nonsense\r\n\r\n");

        Assert.False(new AsgiServerOptions().AccessLog);
        Assert.Empty(Lines(server));
    }

    [Theory]
    [InlineData("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "\"HEAD / HTTP/1.1\" 200 0")]
    [InlineData("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", "\"GET http://a/x HTTP/1.1\" 200 2")]
    [InlineData("GET /%0d%0a%22 HTTP/1.1\r\nHost: a\r\n\r\n", "\"GET /%0d%0a%22 HTTP/1.1\" 200 4")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "\"GET / HTTP/1.1\" 400 0")]
    [InlineData("G\x1b[2J \"\\ é\0\r\n\r\n", "\"G\\x1B[2J \\x22\\x5C \\xE9\\x00\" 400 0")]
    [InlineData("GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", "\"GET /\\x0Dx HTTP/1.1\" 400 0")]
    public void A_line_holds_what_was_asked_and_sent_and_nothing_a_terminal_obeys(string sent, string expected)
    {
        using var server = new SimulatedServer(Apps.Path, logsAccess: true);
        server.Connect(sent);

        Assert.Equal($"127.0.0.1 {expected} 0 ms", Assert.Single(Lines(server)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void A_request_line_is_cut_at_its_limit(int beyond, bool isCut)
    {
        var target = "/" + new string('x', RequestLines.LengthMax - "GET /".Length + beyond);
        using var server = new SimulatedServer(Apps.Path, logsAccess: true);

        server.Connect($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");

        var line = Assert.Single(Lines(server));
        Assert.Contains(isCut ? $"GET {target[..^1]}...\"" : $"GET {target} HTTP/1.1\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\r\n\r\n", "-")]
    [InlineData("\n", "-")]
    [InlineData("", "-")]
    [InlineData("abc", "abc")]
    [InlineData("abc\r\ndef", "abc")]
    public void Of_what_was_refused_the_first_line_is_logged(string received, string expected) =>
        Assert.Equal(expected, RequestLines.OfRefused(received.Select(letter => (byte)letter).ToArray()));

    [Fact]
    public void What_was_refused_is_cut_at_the_limit_too()
    {
        var line = new string('x', RequestLines.LengthMax);

        Assert.Equal(line, RequestLines.OfRefused(Encoding.ASCII.GetBytes(line)));
        Assert.Equal(line + "...", RequestLines.OfRefused(Encoding.ASCII.GetBytes(line + "y")));
    }

    [Fact]
    public void A_head_that_times_out_is_a_408()
    {
        using var server = new SimulatedServer(Apps.Path, logsAccess: true);
        server.Connect("GET / HTTP/1.1\r\n");
        server.Advance(31_000);

        Assert.Equal("127.0.0.1 \"GET / HTTP/1.1\" 408 0 0 ms", Assert.Single(Lines(server)));
    }

    [Theory]
    [InlineData(false, "499 0")]
    [InlineData(true, "200 4")]
    public void A_client_that_leaves_before_the_response_is_a_499(bool hasStarted, string expected)
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (hasStarted)
                {
                    exchange.Send(new ResponseStart(200));
                    await exchange.SendAsync(new ResponseBody("half"u8.ToArray(), MoreBody: true));
                }

                await end.Task;
            },
            logsAccess: true);
        server.Connect(Apps.Get).Reset();
        server.Run();
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal($"127.0.0.1 \"GET / HTTP/1.1\" {expected} 0 ms", Assert.Single(Lines(server)));
    }

    [Fact]
    public void An_application_that_aborts_before_the_response_is_a_499()
    {
        using var server = new SimulatedServer(
            exchange =>
            {
                exchange.Abort();
                return default;
            },
            logsAccess: true);
        server.Connect(Apps.Get);

        Assert.Contains("\" 499 0 ", Assert.Single(Lines(server)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_that_aborts_before_the_response_is_a_499()
    {
        using var server = HostedDelegate.Serve(
            context =>
            {
                context.Abort();
                return Task.CompletedTask;
            },
            logsAccess: true);
        server.Connect(Apps.Get);

        Assert.Equal("127.0.0.1 \"GET / HTTP/1.1\" 499 0 0 ms", Assert.Single(Lines(server)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_option_turns_it_on(bool isOn)
    {
        using var logs = new LogSink();
        await using var host = await AppHost.StartAsync(
            context => context.Response.WriteAsync("hello"), options => options.AccessLog = isOn, logs);
        _ = await RawClient.ExchangeAsync(host.EndPoint, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await host.StopAsync();

        var lines = logs.Lines.Where(line => line.Category == "Asgi.Server.AccessLog").Select(line => line.Message).ToList();
        Assert.Equal(isOn ? 1 : 0, lines.Count(line => line.StartsWith("127.0.0.1 \"GET /a HTTP/1.1\" 200 5 ", StringComparison.Ordinal)));
        Assert.Equal(isOn, lines.Count > 0);
    }

    [Fact]
    public void An_error_is_the_status_that_was_sent()
    {
        using var server = HostedDelegate.Serve(_ => throw new InvalidOperationException("The application's."), logsAccess: true);
        server.Connect(Apps.Get);

        Assert.Equal("127.0.0.1 \"GET / HTTP/1.1\" 500 0 0 ms", Assert.Single(Lines(server)));
    }

    [Fact]
    public void Interim_responses_have_no_line_of_their_own()
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                await exchange.SendAsync(new InformationalResponse(103, new FieldList().Add("Link", "</a>")));
                await Apps.Path(exchange);
            },
            logsAccess: true);
        server.Connect(Apps.Get);

        Assert.Contains("\" 200 1 ", Assert.Single(Lines(server)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_upgrade_is_a_line_at_its_end()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
                await stream.WriteAsync("hello"u8.ToArray());
                while (await stream.ReadAsync(new byte[10]) > 0)
                {
                }
            },
            logsAccess: true);
        var client = server.Connect("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
        server.Advance(2000);
        Assert.Empty(Lines(server));

        client.ShutdownSend();
        server.Run();

        Assert.Equal("127.0.0.1 \"GET / HTTP/1.1\" 101 5 2000 ms", Assert.Single(Lines(server)));
    }

    private static List<string> Lines(SimulatedServer server) =>
        [.. server.Log.Entries.Where(entry => entry.Category == "Asgi.Server.AccessLog").Select(entry => entry.Message)];
}
