// RFC 9112, section 5: field lines, and RFC 9110, section 5.5: field values.

using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_05_FieldSyntaxTests
{
    [Theory]
    [Wire("GET / HTTP/1.0\r\nX: a\r\n\r\n", "X: a")]
    [Wire("GET / HTTP/1.0\r\nX:a\r\n\r\n", "X: a")]
    [Wire("GET / HTTP/1.0\r\nX: \t a b\t \r\n\r\n", "X: a b")]
    [Wire("GET / HTTP/1.0\r\nX:\r\n\r\n", "X: ")]
    [Wire("GET / HTTP/1.0\r\nX:  \t\r\n\r\n", "X: ")]
    [Wire("GET / HTTP/1.0\r\nX: a:b\r\n\r\n", "X: a:b")]
    [Wire("GET / HTTP/1.0\r\n!#$%&'*+-.^_`|~09azAZ: \"(),/:;<=>?@[\\]{}\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ: \"(),/:;<=>?@[\\]{}")]
    [Wire("GET / HTTP/1.0\r\nX: \u00C3\u00A9 and \u00E2\u0082\u00AC\r\n\r\n", "X: \u00C3\u00A9 and \u00E2\u0082\u00AC")]
    public void A_value_is_trimmed_and_otherwise_kept(Wire wire, string line) => Assert.Equal([line], Expect.Complete(wire).Fields);

    [Theory]
    [Wire("GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n")]
    public void Lines_keep_their_order_and_are_not_merged(Wire wire) =>
        Assert.Equal(["A: 1", "B: 2", "a: 3"], Expect.Complete(wire).Fields);

    [Theory]
    [Wire("GET / HTTP/1.0\r\nX\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\n: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nF(o)o: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\n\"x\": a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX\u0000: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX\u00E9: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nA: b\r\nX\u007F: a\r\n\r\n")]
    public void A_name_is_a_token_before_a_colon(Wire wire) => Expect.Fault(wire, 400, "InvalidFieldName");

    [Theory]
    [Wire("GET / HTTP/1.0\r\nX : a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX\t: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX Y: a\r\n\r\n")]
    public void Whitespace_before_the_colon_is_refused(Wire wire) => Expect.Fault(wire, 400, "WhitespaceBeforeColon");

    [Theory]
    [Wire("GET / HTTP/1.0\r\nX: a\r\n b\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: a\r\n\tb\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\n X: a\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: a\r\n \r\n\r\n")]
    public void Line_folding_is_refused(Wire wire) => Expect.Fault(wire, 400, "LineFolding");

    [Theory]
    [Wire("GET / HTTP/1.0\r\nX: a\u0000b\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: a\u0001\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u001F\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u007F\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u00C3\u00A9\u0000\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u00E9\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u00C3\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u00C0\u00AF\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nX: \u00ED\u00A0\u0080\r\n\r\n")]
    public void A_value_has_no_control_characters_and_is_UTF8(Wire wire) => Expect.Fault(wire, 400, "InvalidFieldValue");

    [Fact]
    public void The_section_is_limited_in_bytes()
    {
        const string Lines = "A: 1\r\nB: 22\r\n";
        const string Literal = "GET / HTTP/1.0\r\n" + Lines + "\r\n";
        Assert.True(WireRun.Of(Literal, new Http1Limits { MaxRequestHeadersTotalSize = Lines.Length }).Message.IsComplete);

        WireRun tooLarge = WireRun.Of(Literal, new Http1Limits { MaxRequestHeadersTotalSize = Lines.Length - 1 });
        Assert.Equal((431, "FieldSectionTooLarge"), (tooLarge.Fault!.Status, tooLarge.Fault.Name));
    }

    [Theory]
    [InlineData("A: bbbbbbbbbbbbbbbbbb")]
    [InlineData("Aaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("A: 1\r\nB: 2\r\nCcccccccc")]
    public void The_byte_limit_does_not_wait_for_the_end_of_the_line(string lines)
    {
        // The window is two bytes wider than the limit: they may be the empty line.
        string literal = "GET / HTTP/1.0\r\n" + lines;
        Assert.Null(WireRun.Of(literal, new Http1Limits { MaxRequestHeadersTotalSize = lines.Length - 1 }).Fault);
        Assert.Equal(431, WireRun.Of(literal, new Http1Limits { MaxRequestHeadersTotalSize = lines.Length - 2 }).Fault!.Status);
    }

    [Fact]
    public void The_section_is_limited_in_lines()
    {
        const string Literal = "GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
        Assert.Equal(3, WireRun.Of(Literal, new Http1Limits { MaxRequestHeaderCount = 3 }).Message.Fields.Count);

        WireRun tooMany = WireRun.Of(Literal, new Http1Limits { MaxRequestHeaderCount = 2 });
        Assert.Equal((431, "TooManyFieldLines"), (tooMany.Fault!.Status, tooMany.Fault.Name));
    }

    [Theory]
    [InlineData(100, null)]
    [InlineData(101, 431)]
    public void The_default_limit_is_100_lines(int count, int? status)
    {
        byte[] bytes = new Wire("GET / HTTP/1.0\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", count)) + "\r\n").Bytes;
        Assert.Equal(status, WireRun.Feed(bytes, [bytes.Length]).Fault?.Status);
    }

    [Theory]
    [InlineData(32768, null)]
    [InlineData(32769, 431)]
    public void The_default_limit_is_32768_bytes(int size, int? status)
    {
        byte[] bytes = new Wire($"GET / HTTP/1.0\r\nA: {new string('b', size - "A: \r\n".Length)}\r\n\r\n").Bytes;
        Assert.Equal(status, WireRun.Feed(bytes, [bytes.Length]).Fault?.Status);
    }
}
