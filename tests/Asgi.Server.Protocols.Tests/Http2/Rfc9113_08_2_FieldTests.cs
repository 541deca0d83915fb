// RFC 9113, section 8.2: what a field name and a value may be, fields of HTTP/1 connections, and cookies in crumbs.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_08_2_FieldTests
{
    private static void AssertRefused(string fault, params string[] fields) => Assert.Equal(
        [$"StreamFault 1 ProtocolError {fault}", "Request 3 GET /| http [host: a] end"],
        Http2Run.Of(Request(1, fields: fields), Get(3)));

    private static void AssertTaken(string expected, params string[] fields) =>
        Assert.Equal([$"Request 1 GET /| http [host: a|{expected}] end"], Http2Run.Of(Request(1, fields: fields)));

    [Fact]
    public void A_name_is_a_token_in_lower_case()
    {
        for (int c = 0; c <= 0xFF; c++)
        {
            bool isRight = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".Contains((char)c);
            foreach (string name in (string[])[$"{(char)c}", $"x{(char)c}", $"x{(char)c}y"])
            {
                byte[] block = [.. Pseudo, 0, (byte)name.Length, .. Latin1(name), 1, (byte)'v'];
                string[] events = Single(Frame(HeadersType, EndHeaders | EndStream, 1, block));
                // A colon at the beginning makes a pseudo-field of it, which stands in the wrong place by then, or is unknown.
                string fault = name[0] == ':' ? "UnknownPseudoField" : "InvalidFieldName";
                Assert.Equal([isRight ? $"Request 1 GET /| http [host: a|{name}: v] end" : $"StreamFault 1 ProtocolError {fault}"], events);
            }
        }
    }

    [Fact]
    public void A_name_is_not_empty() => Assert.Equal(
        ["StreamFault 1 ProtocolError InvalidFieldName"], Single(Frame(HeadersType, EndHeaders, 1, [.. Pseudo, 0, 0, 1, (byte)'v'])));

    [Fact]
    public void A_value_has_no_control_character_but_a_tab_within()
    {
        for (int c = 0; c < 0x80; c++)
        {
            bool isRight = c == '\t' || c is >= ' ' and < 0x7F;
            string[] events = Single(Request(1, fields: $"x: a{(char)c}b"));
            string told = $"Request 1 GET /| http [host: a|x: a{(char)c}b] end";
            Assert.Equal([isRight ? told : "StreamFault 1 ProtocolError InvalidFieldValue"], events);
        }
    }

    [Theory]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("\ta")]
    [InlineData("a\t")]
    [InlineData(" ")]
    public void A_value_has_no_whitespace_around_it(string value) => AssertRefused("InvalidFieldValue", $"x: {value}");

    [Fact]
    public void A_value_may_be_empty() => AssertTaken("x: |y: z", "x: ", "y: z");

    [Fact]
    public void Above_ascii_a_value_is_utf8_unless_somebody_else_judges_it()
    {
        AssertTaken("x: \u00C3\u00A9", "x: \u00C3\u00A9");
        AssertRefused("InvalidFieldValue", "x: \u00E9");
        AssertRefused("InvalidFieldValue", "x: \u00ED\u00A0\u0080");
        var limits = new Http2Limits { AllowsAnyEncoding = true };
        Assert.Equal(["Request 1 GET /| http [host: a|x: \u00E9] end"], Http2Run.Of(limits, Request(1, fields: "x: \u00E9")));
        Assert.Equal(["StreamFault 1 ProtocolError InvalidFieldValue"], Http2Run.Of(limits, Request(1, fields: "x: \u00E9\u0001")));
    }

    [Theory]
    [InlineData("connection: close")]
    [InlineData("connection: ")]
    [InlineData("proxy-connection: keep-alive")]
    [InlineData("keep-alive: timeout=5")]
    [InlineData("transfer-encoding: chunked")]
    [InlineData("upgrade: websocket")]
    [InlineData("te: gzip")]
    [InlineData("te: trailers, gzip")]
    [InlineData("te: ")]
    public void Fields_of_an_http1_connection_are_refused(string field) => AssertRefused("ConnectionSpecificField", field);

    [Theory]
    [InlineData("te: trailers")]
    [InlineData("te: Trailers")]
    [InlineData("connections: x")]
    [InlineData("x-upgrade: x")]
    [InlineData("http2-settings: x")]
    public void Others_are_not(string field) => AssertTaken(field, field);

    [Fact]
    public void Cookies_are_joined_in_the_place_of_the_first() => AssertTaken(
        "a: 1|cookie: b=2; c=3; ; d=4|e: 5|f: 6", "a: 1", "cookie: b=2", "cookie: c=3", "e: 5", "cookie: ", "cookie: d=4", "f: 6");

    [Fact]
    public void One_cookie_stays_as_it_is() => AssertTaken("a: 1|cookie: b=2; c=3", "a: 1", "cookie: b=2; c=3");

    [Fact]
    public void Cookies_in_as_many_crumbs_as_there_may_be_lines_are_joined()
    {
        string[] crumbs = [.. Enumerable.Range(0, 100).Select(i => $"cookie: {new string('x', i)}={i}")];
        string joined = string.Join("; ", crumbs.Select(crumb => crumb["cookie: ".Length..]));
        var run = new Http2Run();
        run.Receive(Start, Request(1, fields: crumbs));
        Assert.Equal($"Request 1 GET /| http [host: a|cookie: {joined}] end", run.Last);
    }

    [Theory]
    [InlineData("content-length: ")]
    [InlineData("content-length: +5")]
    [InlineData("content-length: -1")]
    [InlineData("content-length: 5,5")]
    [InlineData("content-length: 0x5")]
    [InlineData("content-length: 9223372036854775808")]
    [InlineData("content-length: 5", "content-length: 5")]
    public void Content_length_is_one_number(params string[] fields) => AssertRefused("InvalidContentLength", fields);

    private static byte[] Pseudo => Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");

    private static byte[] Latin1(string text) => [.. text.Select(c => (byte)c)];

    // Whole alone: there are many of these.
    private static string[] Single(byte[] frame)
    {
        var run = new Http2Run();
        run.Receive(Start, frame);
        return [.. run.Events.Skip(1)];
    }
}
