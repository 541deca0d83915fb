// RFC 9112, section 6: how the content of a request is framed, and what is refused because two parsers could frame it differently.

using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_06_MessageBodyTests
{
    [Theory]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [Wire("PATCH / HTTP/1.0\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")]
    public void Without_framing_there_is_no_content(Wire wire)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.False(message.HasContent);
        Assert.Empty(message.Content);
        Assert.Empty(message.Trailers);
    }

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 5, "hello")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", 5, "hello")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\ncontent-length:\t005 \r\n\r\nhello", 5, "hello")]
    [Wire("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\r\n", 2, "\r\n")]
    public void Content_Length_frames_the_content(Wire wire, long length, string content)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((length, false, true), (message.ContentLength, message.IsChunked, message.HasContent));
        Assert.Equal(content, message.Content);
        Assert.Equal(0, message.FramingBytes);
    }

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")]
    public void Content_that_falls_short_is_not_complete(Wire wire)
    {
        WireRun run = WireRun.Of(wire);
        Assert.False(run.Message.IsComplete);
        Assert.Equal("hell", run.Message.Content);
        Assert.False(run.InHead);
        Assert.Equal(0, run.UnconsumedBytes);
    }

    [Fact]
    public void The_largest_Content_Length_fits() =>
        Assert.Equal(long.MaxValue, WireRun.Of($"POST / HTTP/1.0\r\nContent-Length: {long.MaxValue}\r\n\r\n").Message.ContentLength);

    [Theory]
    [Wire("POST / HTTP/1.0\r\nContent-Length: \r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: +5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: -5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5 5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5, 5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5,\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5;\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5.0\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 0x5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5a\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: \u00D9\u00A5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 9223372036854775808\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 18446744073709551621\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n")]
    [Wire("POST / HTTP/1.0\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n")]
    public void Content_Length_is_one_decimal_number(Wire wire) => Expect.Fault(wire, 400, "InvalidContentLength");

    [Theory]
    [Wire("POST / HTTP/1.0\r\n\r\n")]
    [Wire("PUT / HTTP/1.0\r\n\r\n")]
    public void POST_and_PUT_in_1_0_need_Content_Length(Wire wire) => Expect.Fault(wire, 400, "MissingContentLength");

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tCHUNKED \r\n\r\n0\r\n\r\n")]
    public void Transfer_Encoding_is_chunked(Wire wire)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((null, true, true), (message.ContentLength, message.IsChunked, message.HasContent));
    }

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chu\u000Bnked\r\n\r\n", "InvalidFieldValue")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")]
    public void Transfer_Encoding_is_nothing_else(Wire wire, string fault = "InvalidTransferEncoding") => Expect.Fault(wire, 400, fault);

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: foo;q=1 , Chunked\r\n\r\n")]
    public void A_coding_before_chunked_is_not_implemented(Wire wire) => Expect.Fault(wire, 501, "UnknownTransferCoding");

    [Theory]
    [Wire("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "TransferEncodingInHttp10")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "TransferEncodingAndContentLength")]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", "TransferEncodingAndContentLength")]
    [Wire(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n",
        "TransferEncodingAndContentLength")]
    public void What_two_parsers_could_frame_differently_is_refused(Wire wire, string fault) => Expect.Fault(wire, 400, fault);

    [Theory]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", true)]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nexpect: foo, 100-Continue\r\n\r\n", true)]
    [Wire("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continued\r\n\r\n", false)]
    [Wire("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", false)]
    public void Only_a_1_1_client_can_wait_for_100(Wire wire, bool expected) =>
        Assert.Equal(expected, Expect.Complete(wire).ExpectContinue);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false)]
    [InlineData("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", true)]
    public void After_an_upgrade_everything_is_content(string head, bool isAfterEnd)
    {
        var machine = new Http1Machine(Http1Limits.Default);
        byte[] bytes = new Wire(head + "GET / HTTP/1.1\r\n\r\n").Bytes;
        Assert.Equal(Http1Event.Request, machine.Read(bytes, out int consumed));
        if (isAfterEnd)
            Assert.Equal(Http1Event.EndOfMessage, machine.Read(bytes.AsSpan(consumed), out _));

        machine.UpgradeToRaw();
        Assert.Equal(Http1Event.Content, machine.Read(bytes.AsSpan(consumed), out int raw));
        Assert.Equal((bytes.Length - consumed, raw), (raw, machine.ContentBytes));
        Assert.Equal(Http1Event.NeedData, machine.Read([], out _));
        Assert.Equal(raw, machine.TotalContentBytes);
        Assert.False(machine.InHead);
    }

    [Fact]
    public void A_request_with_content_cannot_be_upgraded()
    {
        var machine = new Http1Machine(Http1Limits.Default);
        Assert.Throws<InvalidOperationException>(machine.UpgradeToRaw);
        machine.Read("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"u8.ToArray(), out _);
        Assert.Throws<InvalidOperationException>(machine.UpgradeToRaw);
        machine.Read("a"u8.ToArray(), out _);
        Assert.Throws<InvalidOperationException>(machine.UpgradeToRaw);
    }
}
