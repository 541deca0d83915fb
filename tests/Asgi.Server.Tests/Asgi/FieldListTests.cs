// The response fields of a native application: what may be added (RFC 9110, section 5), and what the server makes of it.

namespace Asgi.Server.Tests.Waist;

public sealed class FieldListTests
{
    private readonly FieldList _fields = new();

    [Fact]
    public void Lines_come_in_the_order_added_and_names_may_repeat()
    {
        _fields.Add("B", "1").Add("a", "2").Add("B", "3").Add("Empty", "");

        Assert.Equal(["B: 1", "a: 2", "B: 3", "Empty: "], Lines());
        Assert.Equal(ResponseFieldTraits.None, _fields.Traits);
        Assert.Null(_fields.ContentLength);
    }

    [Theory]
    [InlineData("")]
    [InlineData("X A")]
    [InlineData("X:")]
    [InlineData("X\r\nY")]
    [InlineData("(X)")]
    [InlineData("Ä")]
    public void A_name_is_a_token(string name)
    {
        Assert.Throws<ArgumentException>(() => _fields.Add(name, "v"));
        Assert.Empty(Lines());
    }

    [Theory]
    [InlineData("a\r\nB: c")]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData("\0")]
    [InlineData("\u007F")]
    [InlineData("\u00E4")]
    [InlineData("\u010D\u010A")]
    public void A_value_is_printable_ASCII_and_tabs(string value)
    {
        Assert.Throws<ArgumentException>(() => _fields.Add("X", value));
        Assert.Throws<ArgumentException>(() => _fields.Add("Connection", value));
        Assert.Empty(Lines());
    }

    [Fact]
    public void The_edges_of_what_is_printable_are_in()
    {
        _fields.Add("!#$%&'*+-.^_`|~0aZ", " \t~");

        Assert.Equal(["!#$%&'*+-.^_`|~0aZ:  \t~"], Lines());
    }

    [Fact]
    public void Null_is_refused()
    {
        Assert.Throws<ArgumentNullException>(() => _fields.Add(null!, "v"));
        Assert.Throws<ArgumentNullException>(() => _fields.Add("X", null!));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("42", 42)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Content_length_is_a_number_and_no_line(string value, long length)
    {
        _fields.Add("content-length", value);

        Assert.Equal(length, _fields.ContentLength);
        Assert.Empty(Lines());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1, 1")]
    [InlineData("9223372036854775808")]
    public void Any_other_content_length_is_refused(string value)
    {
        Assert.Throws<ArgumentException>(() => _fields.Add("Content-Length", value));
        Assert.Null(_fields.ContentLength);
    }

    [Fact]
    public void A_second_content_length_is_refused()
    {
        _fields.Add("Content-Length", "1");

        Assert.Throws<ArgumentException>(() => _fields.Add("Content-Length", "1"));
    }

    [Fact]
    public void Transfer_encoding_is_the_servers()
    {
        _fields.Add("transfer-encoding", "chunked");

        Assert.Empty(Lines());
        Assert.Equal(ResponseFieldTraits.None, _fields.Traits);
    }

    [Theory]
    [InlineData("date", "x", ResponseFieldTraits.HasDate)]
    [InlineData("SERVER", "x", ResponseFieldTraits.HasServer)]
    [InlineData("connection", "close", ResponseFieldTraits.HasConnection)]
    [InlineData("Connection", "x, Keep-Alive", ResponseFieldTraits.HasConnection | ResponseFieldTraits.KeepAlive)]
    [InlineData("Connection", "keep-alive-not", ResponseFieldTraits.HasConnection)]
    [InlineData("Dated", "x", ResponseFieldTraits.None)]
    public void The_server_notes_what_it_must_know(string name, string value, ResponseFieldTraits traits) =>
        Assert.Equal(traits, _fields.Add(name, value).Traits);

    private List<string> Lines()
    {
        List<string> lines = [];
        var cursor = default(Protocols.Http.FieldCursor);
        while (_fields.Next(ref cursor))
            lines.Add($"{cursor.Name}: {cursor.Value}");
        return lines;
    }
}
