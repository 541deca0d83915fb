// RFC 9112, section 7.1: the chunked transfer coding, received and sent.

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_07_ChunkedCodingTests
{
    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", "hello world")]
    [InlineData("a\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("A\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("00000005\r\nhello\r\n00000000\r\n\r\n", "hello")]
    [InlineData("2\r\n\r\n\r\n0\r\n\r\n", "\r\n")]
    [InlineData("10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef")]
    public void Chunks_are_decoded(string wire, string content)
    {
        WireMessage message = WireRun.Of(Head + wire).Message;
        Assert.True(message.IsComplete);
        Assert.Equal(content, message.Content);
        Assert.Empty(message.Trailers);
        Assert.Equal(wire.Length - content.Length - "\r\n".Length, message.FramingBytes);
    }

    [Theory]
    [InlineData("5;a\r\nhello\r\n0;b=c\r\n\r\n")]
    [InlineData("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5; \t\u00E9\r\nhello\r\n0;\r\n\r\n")]
    public void Chunk_extensions_are_skipped(string wire) => Assert.Equal("hello", WireRun.Of(Head + wire).Message.Content);

    [Theory]
    [InlineData("\r\n")]
    [InlineData(";a\r\n")]
    [InlineData("g\r\n")]
    [InlineData(" 5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 \r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 ;a\r\nhello\r\n0\r\n\r\n")]
    [InlineData("+5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5_0\r\nhello\r\n0\r\n\r\n")]
    [InlineData("000000005\r\nhello\r\n0\r\n\r\n")]
    [InlineData("100000000\r\n")]
    public void A_chunk_size_is_one_to_eight_hexadecimal_digits(string wire) => ExpectFault(wire, "InvalidChunkSize");

    [Theory]
    [InlineData("5\nhello\r\n0\r\n\r\n", "BareLineFeed")]
    [InlineData("5;a\nhello\r\n0\r\n\r\n", "BareLineFeed")]
    [InlineData("5\rhello\r\n0\r\n\r\n", "BareCarriageReturn")]
    [InlineData("5;a\rb\r\nhello\r\n0\r\n\r\n", "BareCarriageReturn")]
    [InlineData("5;a\u0000\r\nhello\r\n0\r\n\r\n", "InvalidChunkExtension")]
    [InlineData("5;\u007F\r\nhello\r\n0\r\n\r\n", "InvalidChunkExtension")]
    [InlineData("0\n\r\n", "BareLineFeed")]
    [InlineData("0\r\n\n", "BareLineFeed")]
    public void The_lines_of_a_chunk_end_in_CRLF(string wire, string fault) => ExpectFault(wire, fault);

    [Theory]
    [InlineData("5\r\nhello0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r0\r\n\r\n")]
    [InlineData("5\r\nhello \r\n0\r\n\r\n")]
    [InlineData("5\r\nhelloworld\r\n0\r\n\r\n")]
    public void The_data_of_a_chunk_ends_in_CRLF_and_is_delivered_before_the_fault(string wire)
    {
        ExpectFault(wire, "InvalidChunkEnd");
        Assert.Equal("hello", WireRun.Of(Head + wire).Message.Content);
    }

    [Fact]
    public void Chunk_extensions_are_limited_over_the_message()
    {
        // ";aa" and ";bbb"
        const string Wire = "1;aa\r\nx\r\n1;bbb\r\ny\r\n0\r\n\r\n";
        Assert.Equal("xy", WireRun.Of(Head + Wire, new Http1Limits { MaxChunkExtensionSize = 7 }).Message.Content);

        WireRun tooLong = WireRun.Of(Head + Wire, new Http1Limits { MaxChunkExtensionSize = 6 });
        Assert.Equal((400, "ChunkExtensionsTooLong"), (tooLong.Fault!.Status, tooLong.Fault.Name));
        Assert.Equal("x", tooLong.Message.Content);
    }

    [Theory]
    [InlineData("0\r\nA: 1\r\n\r\n", new[] { "A: 1" })]
    [InlineData("1\r\nx\r\n0;ext\r\nA: 1\r\nB:\r\nA: \u00C3\u00A9 \r\n\r\n", new[] { "A: 1", "B: ", "A: \u00C3\u00A9" })]
    [InlineData("1\r\nx\r\n0\r\nContent-Length: 5\r\nHost: b\r\n\r\n", new[] { "Content-Length: 5", "Host: b" })]
    public void Trailers_follow_the_last_chunk(string wire, string[] trailers)
    {
        WireMessage message = WireRun.Of(Head + wire).Message;
        Assert.True(message.IsComplete);
        Assert.Equal(trailers, message.Trailers);
        Assert.Equal(["Host: a", "Transfer-Encoding: chunked"], message.Fields);
    }

    [Theory]
    [InlineData("0\r\nA\r\n\r\n", "InvalidFieldName")]
    [InlineData("0\r\nA : 1\r\n\r\n", "WhitespaceBeforeColon")]
    [InlineData("0\r\n A: 1\r\n\r\n", "LineFolding")]
    [InlineData("0\r\nA: \u0000\r\n\r\n", "InvalidFieldValue")]
    [InlineData("0\r\nA: 1\n\r\n", "BareLineFeed")]
    [InlineData("0\r\n\rX", "BareCarriageReturn")]
    [InlineData("0\r\nGET / HTTP/1.1\r\n\r\n", "WhitespaceBeforeColon")]
    public void Trailers_obey_the_rules_of_fields(string wire, string fault) => ExpectFault(wire, fault);

    [Fact]
    public void Trailers_are_limited_like_headers()
    {
        const string Trailers = "A: 1\r\nB: 22\r\nC: 333\r\nD: 4444444444444444444444444444444444\r\n";
        const string Wire = Head + "0\r\n" + Trailers + "\r\n";
        Assert.Equal(4, WireRun.Of(Wire, new Http1Limits { MaxRequestHeaderCount = 4 }).Message.Trailers.Count);
        Assert.Equal("TooManyFieldLines", WireRun.Of(Wire, new Http1Limits { MaxRequestHeaderCount = 3 }).Fault!.Name);
        Assert.True(WireRun.Of(Wire, new Http1Limits { MaxRequestHeadersTotalSize = Trailers.Length }).Message.IsComplete);
        Assert.Equal(431, WireRun.Of(Wire, new Http1Limits { MaxRequestHeadersTotalSize = Trailers.Length - 1 }).Fault!.Status);
    }

    [Fact]
    public void Several_chunks_are_moved_together_in_one_read()
    {
        var machine = new Http1Machine(Http1Limits.Default);
        byte[] bytes = new Wire(Head + "3\r\nabc\r\n4\r\ndefg\r\n5\r\nhi").Bytes;
        machine.Read(bytes, out int head);
        Assert.Equal(Http1Event.Content, machine.Read(bytes.AsSpan(head), out int consumed));
        Assert.Equal(bytes.Length, head + consumed);
        Assert.Equal("abcdefghi", Encoding.ASCII.GetString(bytes, head, machine.ContentBytes));
        Assert.Equal(consumed - 9, machine.FramingBytes);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5\r")]
    [InlineData("5;ext")]
    [InlineData("5\r\nhello")]
    [InlineData("5\r\nhello\r\n")]
    public void Framing_is_consumed_as_far_as_it_came(string wire) => Assert.Equal(0, WireRun.Of(Head + wire).UnconsumedBytes);

    [Theory]
    [InlineData(1, "1\r\n")]
    [InlineData(15, "f\r\n")]
    [InlineData(16, "10\r\n")]
    [InlineData(255, "ff\r\n")]
    [InlineData(256, "100\r\n")]
    [InlineData(65536, "10000\r\n")]
    [InlineData(int.MaxValue, "7fffffff\r\n")]
    public void A_size_line_is_written_before_or_after_a_gap(int length, string line)
    {
        var destination = new byte[ChunkedCoding.MaxPrefixSize];
        Assert.Equal(line.Length, ChunkedCoding.WritePrefix(destination, length));
        Assert.Equal(line, Encoding.ASCII.GetString(destination, 0, line.Length));

        var gap = new byte[ChunkedCoding.MaxPrefixSize];
        Assert.Equal(line.Length, ChunkedCoding.WritePrefixBefore(gap, length));
        Assert.Equal(line, Encoding.ASCII.GetString(gap, gap.Length - line.Length, line.Length));
        Assert.All(gap[..^line.Length], b => Assert.Equal(0, b));
    }

    [Fact]
    public void The_last_chunk_ends_the_content()
    {
        Assert.Equal("0\r\n\r\n", Encoding.ASCII.GetString(ChunkedCoding.LastChunk));
        Assert.Equal("0\r\n", Encoding.ASCII.GetString(ChunkedCoding.LastChunkBeforeTrailers));
    }

    [Fact]
    public void Trailers_stand_between_the_last_chunk_and_an_empty_line()
    {
        var trailers = new Lines(("X-Sum", "1"), ("X-Sum", "2"));
        const string Wire = "0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n";
        var destination = new byte[Wire.Length];
        Assert.Equal(HeadResult.Done, ResponseHeadWriter.TryWriteTrailers(destination, trailers, out int written, out string? invalid));
        Assert.Equal((Wire, null), (Encoding.ASCII.GetString(destination, 0, written), invalid));

        for (int small = 0; small < Wire.Length; small++)
        {
            Assert.Equal(HeadResult.TooSmall, ResponseHeadWriter.TryWriteTrailers(new byte[small], trailers, out written, out _));
            Assert.Equal(0, written);
        }
    }

    [Theory]
    [InlineData("A", "b\r\nC: d")]
    [InlineData("A", "b\0")]
    [InlineData("A:", "b")]
    [InlineData("", "b")]
    public void A_trailer_that_is_no_field_is_refused(string name, string value)
    {
        var trailers = new Lines((name, value));
        HeadResult result = ResponseHeadWriter.TryWriteTrailers(new byte[100], trailers, out int written, out string? invalid);
        Assert.Equal((HeadResult.InvalidField, 0, name), (result, written, invalid));
    }

    // RFC 9110, section 6.5.1: framing, routing, modifiers, authentication, control data, and how to process the content.
    [Theory]
    [InlineData("Transfer-Encoding")]
    [InlineData("content-length")]
    [InlineData("Host")]
    [InlineData("Cache-Control")]
    [InlineData("Authorization")]
    [InlineData("Set-Cookie")]
    [InlineData("Date")]
    [InlineData("Content-Encoding")]
    [InlineData("Trailer")]
    public void Some_fields_may_not_be_trailers(string name) => Assert.True(TrailerNames.IsForbidden(name));

    [Theory]
    [InlineData("Server-Timing")]
    [InlineData("Content-Digest")]
    [InlineData("ETag")]
    [InlineData("grpc-status")]
    [InlineData("X-Anything")]
    public void Others_may(string name) => Assert.False(TrailerNames.IsForbidden(name));

    private sealed class Lines(params (string Name, string Value)[] fields) : FieldSource
    {
        public override bool Next(ref FieldCursor cursor)
        {
            if (cursor.Line == fields.Length)
                return false;
            (cursor.Name, cursor.Value) = fields[cursor.Line++];
            return true;
        }
    }

    private static void ExpectFault(string wire, string name)
    {
        WireRun run = WireRun.Of(Head + wire);
        Assert.NotNull(run.Fault);
        Assert.Equal((400, name), (run.Fault.Status, run.Fault.Name));
        Assert.False(run.Message.IsComplete);
    }
}
