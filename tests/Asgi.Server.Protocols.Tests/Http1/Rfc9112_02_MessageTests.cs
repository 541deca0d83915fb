// RFC 9112, section 2: messages, lines and what a parser must not be lenient about.

using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_02_MessageTests
{
    [Theory]
    [Wire("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void Empty_lines_before_a_request_are_skipped(Wire wire)
    {
        WireMessage message = WireRun.Of(wire).Message;
        Assert.Equal("GET", message.Method);
        Assert.Equal("/", message.Path);
        Assert.Equal(["Host: a"], message.Fields);
    }

    [Theory]
    [Wire("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "BareLineFeed")]
    [Wire("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "BareCarriageReturn")]
    [Wire("\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "BareCarriageReturn")]
    public void Empty_lines_end_in_CRLF_too(Wire wire, string fault) => Expect.Fault(wire, 400, fault);

    [Theory]
    [Wire("GET / HTTP/1.1\nHost: a\r\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\n")]
    [Wire("GET / HTTP/1.1\r\n\nHost: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\n\n")]
    public void A_bare_LF_is_refused(Wire wire) => Expect.Fault(wire, 400, "BareLineFeed");

    [Theory]
    [Wire("GET / HTTP/1.1\rHost: a\r\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n")]
    public void A_bare_CR_is_refused(Wire wire) => Expect.Fault(wire, 400, "BareCarriageReturn");

    [Theory]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)]
    [Wire("GET / HTTP/1.0\r\n\r\n", false)]
    public void Versions_1_1_and_1_0_are_supported(Wire wire, bool isHttp11) => Assert.Equal(isHttp11, WireRun.Of(wire).Message.IsHttp11);

    [Theory]
    [Wire("GET / HTTP/1.2\r\n\r\n")]
    [Wire("GET / HTTP/2.0\r\n\r\n")]
    [Wire("GET / HTTP/0.9\r\n\r\n")]
    [Wire("GET / http/1.1\r\n\r\n")]
    [Wire("GET / SHTTP/11\r\n\r\n")]
    [Wire("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public void Other_versions_are_not_supported(Wire wire) => Expect.Fault(wire, 505, "UnsupportedVersion");

    [Theory]
    [Wire("GET / HTTP/1\r\n\r\n")]
    [Wire("GET / HTTP/1.10\r\n\r\n")]
    [Wire("GET / \r\n\r\n")]
    [Wire("GET / HTTP/1.1 \r\n\r\n")]
    [Wire("GET /  HTTP/1.1\r\n\r\n")]
    [Wire("GET / HTTP/1.1\t\r\n\r\n")]
    [Wire("GET / HTTP\u00001.1\r\n\r\n")]
    [Wire("GET / HTTP/1.\u00E9\r\n\r\n")]
    public void What_is_no_version_is_refused(Wire wire) => Expect.Fault(wire, 400, "InvalidVersion");

    [Theory]
    [Wire("")]
    [Wire("\r\n\r\n")]
    [Wire("\r\n\r")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n")]
    public void Between_requests_no_head_is_under_way(Wire wire)
    {
        WireRun run = WireRun.Of(wire);
        Assert.Null(run.Fault);
        Assert.True(run.InHead);
        Assert.False(run.IsMidHead);
        Assert.InRange(run.UnconsumedBytes, 0, 1);
    }

    [Theory]
    [Wire("G")]
    [Wire("\r\nGET")]
    [Wire("GET / HTTP/1.1\r")]
    [Wire("GET / HTTP/1.1\r\n")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\r")]
    public void A_part_of_a_head_is_a_head_under_way(Wire wire)
    {
        WireRun run = WireRun.Of(wire);
        Assert.Null(run.Fault);
        Assert.Empty(run.Messages);
        Assert.True(run.IsMidHead);
    }

    [Fact]
    public void A_fault_is_final()
    {
        var machine = new Http1Machine(Http1Limits.Default);
        Assert.Equal(Http1Event.Fault, machine.Read("GET\r\n"u8.ToArray(), out int consumed));
        Assert.Equal(0, consumed);
        Assert.Equal(Http1Event.Fault, machine.Read("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), out consumed));
        Assert.Equal(0, consumed);
        Assert.Throws<InvalidOperationException>(machine.Next);
    }

    [Fact]
    public void A_reset_machine_has_forgotten_everything()
    {
        var machine = new Http1Machine(Http1Limits.Default);
        machine.Read("POST /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"u8.ToArray(), out _);
        machine.Reset();
        byte[] next = "GET / HTTP/1.0\r\n\r\n"u8.ToArray();
        Assert.Equal(Http1Event.Request, machine.Read(next, out int consumed));
        Assert.Equal(next.Length, consumed);
        Assert.Equal(0, machine.Head.Fields.Count);
        Assert.Equal(0, machine.Head.QueryLength);
        Assert.Null(machine.Head.ContentLength);
        Assert.False(machine.Head.IsHttp11);
    }

    [Fact]
    public void Reading_goes_on_only_after_Next()
    {
        var machine = new Http1Machine(Http1Limits.Default);
        byte[] two = "GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"u8.ToArray();
        Assert.Equal(Http1Event.Request, machine.Read(two, out int consumed));
        Assert.Throws<InvalidOperationException>(machine.Next);
        Assert.Equal(Http1Event.EndOfMessage, machine.Read(two.AsSpan(consumed), out int none));
        Assert.Equal(0, none);
        Assert.Throws<InvalidOperationException>(() => machine.Read(two.AsSpan(consumed), out _));
        machine.Next();
        Assert.Equal(Http1Event.Request, machine.Read(two.AsSpan(consumed), out _));
    }

    [Fact]
    public void Pipelined_requests_come_in_order() =>
        Assert.Equal(["/1", "/2", "/3"], WireRun.Of(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\nGET /3 HTTP/1.0\r\n\r\n")
            .Messages.Select(m => m.Target));

    [Fact]
    public void Bytes_of_a_head_are_looked_at_once()
    {
        // Whatever was scanned is overwritten with bytes that would be refused: a parser that began again would meet them.
        var machine = new Http1Machine(Http1Limits.Default);
        byte[] head = [.. "GET /"u8, .. Enumerable.Repeat((byte)'a', 5000), .. " HTTP/1.1\r\nHost: a\r\nX: "u8,
            .. Enumerable.Repeat((byte)'b', 5000), .. "\r\n\r\n"u8];
        int target = "GET /"u8.Length;
        int value = head.AsSpan().IndexOf("X: "u8) + "X: "u8.Length;
        for (int length = 1; length < head.Length; length++)
        {
            Assert.Equal(Http1Event.NeedData, machine.Read(head.AsSpan(0, length), out int consumed));
            Assert.Equal(0, consumed);
            bool isInTarget = length > target && length <= target + 5000;
            bool isInValue = length > value && length <= value + 5000;
            if (isInTarget || isInValue)
                head[length - 1] = 0;
        }
        Assert.Equal(Http1Event.Request, machine.Read(head, out int all));
        Assert.Equal(head.Length, all);
    }
}
