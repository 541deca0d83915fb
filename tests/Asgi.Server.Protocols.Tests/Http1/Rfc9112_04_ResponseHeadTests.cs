// RFC 9112, sections 4 and 5, as a sender: the head of a response, and what must never reach the wire (11.1, response splitting).

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_04_ResponseHeadTests
{
    [Fact]
    public void A_head_is_status_line_framing_connection_common_lines_and_fields() =>
        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\nDate: x\r\nServer: y\r\nA: 1\r\nB: \r\n\r\n",
            Write(
                new ResponseHead
                {
                    Status = 200,
                    ContentLength = 5,
                    Connection = ConnectionOption.Close,
                    Common = "Date: x\r\nServer: y\r\n"u8.ToArray(),
                },
                ("A", "1"), ("B", "")));

    [Fact]
    public void Chunked_comes_last() =>
        Assert.Equal(
            "HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Write(new ResponseHead { Status = 200, Chunked = true }, ("A", "1")));

    [Fact]
    public void A_head_without_fields_is_a_status_line() =>
        Assert.Equal("HTTP/1.1 204 No Content\r\n\r\n", Write(new ResponseHead { Status = 204 }));

    [Theory]
    [InlineData(ConnectionOption.None, "")]
    [InlineData(ConnectionOption.Close, "Connection: close\r\n")]
    [InlineData(ConnectionOption.KeepAlive, "Connection: keep-alive\r\n")]
    [InlineData(ConnectionOption.Upgrade, "Connection: Upgrade\r\n")]
    public void The_connection_option_is_written(object option, string line) =>
        Assert.Equal($"HTTP/1.1 200 OK\r\n{line}\r\n", Write(new ResponseHead { Status = 200, Connection = (ConnectionOption)option }));

    [Theory]
    [InlineData(200, null, "HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData(200, "Fine", "HTTP/1.1 200 Fine\r\n\r\n")]
    [InlineData(200, "", "HTTP/1.1 200 \r\n\r\n")]
    [InlineData(299, null, "HTTP/1.1 299 \r\n\r\n")]
    [InlineData(0, null, "HTTP/1.1 0 \r\n\r\n")]
    [InlineData(99, null, "HTTP/1.1 99 \r\n\r\n")]
    [InlineData(1000, null, "HTTP/1.1 1000 \r\n\r\n")]
    [InlineData(9999, "a b\tc", "HTTP/1.1 9999 a b\tc\r\n\r\n")]
    public void Status_and_phrase_make_the_status_line(int status, string? phrase, string head) =>
        Assert.Equal(head, Write(new ResponseHead { Status = status, ReasonPhrase = phrase }));

    [Theory]
    [InlineData(0L)]
    [InlineData(long.MaxValue)]
    public void Content_Length_is_decimal(long length) =>
        Assert.Equal(
            $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n",
            Write(new ResponseHead { Status = 200, ContentLength = length }));

    [Theory]
    [InlineData(-1)]
    [InlineData(10000)]
    public void A_status_of_no_four_digits_is_refused(int status) =>
        Assert.Equal("status-code", Refuse(new ResponseHead { Status = status }));

    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("a\n")]
    [InlineData("\0")]
    [InlineData("\u007F")]
    [InlineData("\u00E9")]
    [InlineData("\u010D\u010A")]
    public void A_phrase_that_would_split_the_response_is_refused(string phrase) =>
        Assert.Equal("reason-phrase", Refuse(new ResponseHead { Status = 200, ReasonPhrase = phrase }));

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a:")]
    [InlineData("a\r\nb")]
    [InlineData("\u00E9")]
    [InlineData("\u0141")]
    public void A_name_that_is_no_token_is_refused(string name) =>
        Assert.Equal(name, Refuse(new ResponseHead { Status = 200 }, ("A", "1"), (name, "x"), ("B", "2")));

    [Fact]
    public void Each_character_of_a_value_is_checked_wherever_it_stands()
    {
        // Lengths around the width of a vector, every position, and characters whose low byte would pass or split.
        char[] refused = ['\0', '\r', '\n', '\u001F', '\u007F', '\u0080', '\u010A', '\u0141', '\uFF20', '\uFFFF'];
        for (int length = 1; length <= 34; length++)
        {
            for (int position = 0; position < length; position++)
            {
                foreach (char c in refused)
                    Assert.Equal("X", Refuse(new ResponseHead { Status = 200 }, ("X", Fill(length, position, c))));
                foreach (char c in " ~\t!")
                {
                    string value = Fill(length, position, c);
                    Assert.Equal($"HTTP/1.1 200 OK\r\nX: {value}\r\n\r\n", Write(new ResponseHead { Status = 200 }, ("X", value)));
                }
            }
        }
    }

    [Fact]
    public void A_head_fits_exactly_or_nothing_counts_as_written()
    {
        byte[] common = "D: x\r\n"u8.ToArray();
        var head = new ResponseHead { Status = 299, ContentLength = 12, Connection = ConnectionOption.Close, Common = common };
        var fields = new ListSource(("A", "some value of a field"), ("B", "2"));
        int size = Write(head, fields).Length;
        Assert.Equal(HeadResult.Done, ResponseHeadWriter.TryWrite(new byte[size], head, fields, out int written));
        Assert.Equal(size, written);
        for (int small = 0; small < size; small++)
        {
            Assert.Equal(HeadResult.TooSmall, ResponseHeadWriter.TryWrite(new byte[small], head, fields, out written));
            Assert.Equal(0, written);
        }
    }

    [Fact]
    public void A_value_that_may_not_be_sent_is_refused_however_small_the_destination()
    {
        var fields = new ListSource(("A", new string('a', 100) + "\r\n"));
        var head = new ResponseHead { Status = 200 };
        HeadResult result = ResponseHeadWriter.TryWrite(new byte[50], head, fields, out int written, out string? invalid);
        Assert.Equal((HeadResult.InvalidField, 0, "A"), (result, written, invalid));
    }

    private static string Fill(int length, int position, char c) =>
        string.Create(length, (position, c), static (text, at) =>
        {
            text.Fill('a');
            text[at.position] = at.c;
        });

    private static string Write(in ResponseHead head, params (string Name, string Value)[] fields) => Write(head, new ListSource(fields));

    private static string Write(in ResponseHead head, FieldSource fields)
    {
        var destination = new byte[1024];
        Assert.Equal(HeadResult.Done, ResponseHeadWriter.TryWrite(destination, head, fields, out int written, out string? invalid));
        Assert.Null(invalid);
        Assert.All(destination[written..], b => Assert.Equal(0, b));
        return Encoding.ASCII.GetString(destination, 0, written);
    }

    private static string? Refuse(in ResponseHead head, params (string Name, string Value)[] fields)
    {
        HeadResult result = ResponseHeadWriter.TryWrite(new byte[1024], head, new ListSource(fields), out int written, out string? invalid);
        Assert.Equal((HeadResult.InvalidField, 0), (result, written));
        return invalid;
    }

    private sealed class ListSource(params (string Name, string Value)[] fields) : FieldSource
    {
        public override bool Next(ref FieldCursor cursor)
        {
            if (cursor.Line == fields.Length)
                return false;
            (cursor.Name, cursor.Value) = fields[cursor.Line++];
            return true;
        }
    }
}
