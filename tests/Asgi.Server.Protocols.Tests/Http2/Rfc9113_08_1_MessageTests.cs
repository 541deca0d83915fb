// RFC 9113, sections 8.1 and 8.1.1: content, trailers, and the sum that Content-Length promises.

using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_08_1_MessageTests
{
    private const string Mismatch = "StreamFault 1 ProtocolError ContentLengthMismatch";

    [Fact]
    public void A_request_is_headers_content_and_trailers() => Assert.Equal(
        ["Request 1 POST /a|?b http length=5 [host: a|content-length: 5]", "Content 1 'hello'", "Trailers 1 [t: u|v: w] end"],
        Http2Run.Of(
            Request(1, "POST", "/a?b", end: false, "content-length: 5"), DataFrame(1, "hel"), DataFrame(1, "lo"),
            Headers(1, true, "t: u", "v: w")));

    [Fact]
    public void Streams_interleave() => Assert.Equal(
        [
            "Request 1 POST /| http [host: a]", "Request 3 POST /| http [host: a]", "Content 1 'a'", "Content 3 'b'", "Content 1 'c' end",
            "Content 3 'd' end",
        ],
        Http2Run.Of(
            Post(1), Post(3), DataFrame(1, "a"), DataFrame(3, "b"), DataFrame(1, "c", end: true), DataFrame(3, "d", end: true)));

    [Fact]
    public void An_empty_data_frame_may_end_the_stream() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "Content 1 '' end"], Http2Run.Of(Post(1), DataFrame(1, "", end: true)));

    [Fact]
    public void An_empty_data_frame_that_does_not_is_not_told() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "Content 1 'a' end"], Http2Run.Of(Post(1), DataFrame(1, ""), DataFrame(1, "a", end: true)));

    [Fact]
    public void Trailers_may_be_none() => Assert.Equal("Trailers 1 [] end", Http2Run.Of(Post(1), Headers(1, true))[^1]);

    [Fact]
    public void Trailers_may_come_in_fragments() => Assert.Equal(
        "Trailers 1 [t: u] end",
        Http2Run.Of(
            Post(1), Frame(HeadersType, EndStream, 1, Block("t: u")[..3]), Frame(Continuation, EndHeaders, 1, Block("t: u")[3..]))[^1]);

    [Fact]
    public void A_second_block_must_end_the_stream() =>
        Assert.Equal("StreamFault 1 ProtocolError TrailersNotLast", Http2Run.Of(Post(1), Headers(1, false, "t: u"))[^1]);

    [Theory]
    [InlineData(":path: /", "MisplacedPseudoField")]
    [InlineData(":status: 200", "MisplacedPseudoField")]
    [InlineData("T: u", "InvalidFieldName")]
    [InlineData("t: \r", "InvalidFieldValue")]
    [InlineData("connection: close", "ConnectionSpecificField")]
    public void Trailers_are_held_to_the_rules_of_fields(string field, string fault) => Assert.Equal(
        [$"StreamFault 1 ProtocolError {fault}", "Request 3 GET /| http [host: a] end"],
        Http2Run.Of(Post(1), Headers(1, true, "a: b", field, "c: d"), Get(3)).Skip(1));

    [Theory]
    [InlineData("0", 0, "Content 1 '' end")]
    [InlineData("5", 5, "Content 1 'xxxxx' end")]
    [InlineData("005", 5, "Content 1 'xxxxx' end")]
    [InlineData("5", 4, Mismatch)]
    [InlineData("5", 6, Mismatch)]
    [InlineData("0", 1, Mismatch)]
    [InlineData("9223372036854775807", 5, Mismatch)]
    public void Data_sums_up_to_content_length(string declared, int length, string last) =>
        Assert.Equal(last, Http2Run.Of(Post(1, $"content-length: {declared}"), DataFrame(1, new string('x', length), end: true))[^1]);

    [Fact]
    public void More_than_content_length_is_refused_when_it_comes() => Assert.Equal(
        ["Content 1 'abc'", Mismatch, "Request 3 GET /| http [host: a] end"],
        Http2Run.Of(
            Post(1, "content-length: 5"), DataFrame(1, "abc"), DataFrame(1, "def"), DataFrame(1, "ghi", end: true), Get(3)).Skip(1));

    [Fact]
    public void Less_than_content_length_is_refused_with_trailers_too() =>
        Assert.Equal(Mismatch, Http2Run.Of(Post(1, "content-length: 5"), DataFrame(1, "abcd"), Headers(1, true, "t: u"))[^1]);

    [Fact]
    public void A_request_that_ends_with_its_headers_has_no_content_to_promise()
    {
        Assert.Equal(
            ["Request 1 POST /| http length=0 [host: a|content-length: 0] end"],
            Http2Run.Of(Request(1, "POST", "/", end: true, "content-length: 0")));
        Assert.Equal([Mismatch], Http2Run.Of(Request(1, "POST", "/", end: true, "content-length: 1")));
    }

    [Fact]
    public void Padding_is_no_part_of_the_sum() =>
        Assert.Equal("Content 1 'abc' end", Http2Run.Of(Post(1, "content-length: 3"), PaddedData(1, "abc", 7, end: true))[^1]);

    [Fact]
    public void Whether_there_is_content_is_known_from_the_headers()
    {
        var run = new Http2Run();
        run.Receive(Start, Get(1), Post(3));
        Assert.Equal((false, true), (run[1].Head.HasContent, run[3].Head.HasContent));
    }

    [Fact]
    public void A_client_that_waits_for_100_is_known() => Assert.Equal(
        ["Request 1 POST /| http expect [host: a|expect: 100-Continue]", "Request 3 POST /| http expect [host: a|expect: x, 100-continue]"],
        Http2Run.Of(Post(1, "expect: 100-Continue"), Post(3, "expect: x, 100-continue")));

    [Fact]
    public void A_reset_is_told_with_its_code_known_or_not() => Assert.Equal(
        ["StreamReset 1 NoError", "StreamReset 3 4294967295"],
        Http2Run.Of(Post(1), Get(3), RstStream(1, 0), RstStream(3, uint.MaxValue)).Skip(2));
}
