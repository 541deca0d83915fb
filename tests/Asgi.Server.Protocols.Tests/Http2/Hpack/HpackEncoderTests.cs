// The encoder: what goes into the table and what does not, what is never sent, and that a block is written whole or not at all.

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class HpackEncoderTests
{
    private const string FirstDate = "Sat, 21 Nov 2026 12:00:00 GMT";
    private const string SecondDate = "Sat, 21 Nov 2026 12:00:01 GMT";

    private readonly HpackEncoder _encoder = new();
    private readonly HpackDecoder _decoder = new();

    [Fact]
    public void A_response_is_its_status_the_servers_fields_and_the_applications()
    {
        Assert.Equal(
            [
                (":status", "200"), ("date", FirstDate), ("server", "asgi"), ("content-length", "13"), ("content-type", "text/plain"),
                ("x-custom", ""),
            ],
            Response(200, 13, Defaults(FirstDate, "asgi"), ("Content-Type", "text/plain"), ("X-Custom", "")));
    }

    [Fact]
    public void What_comes_again_is_one_byte_each()
    {
        Encode(200, null, Defaults(FirstDate, "asgi"), ("Content-Type", "text/plain"), ("X-Custom", "1"));
        byte[] block = Encode(200, null, Defaults(FirstDate, "asgi"), ("content-type", "text/plain"), ("x-CUSTOM", "1"));
        Assert.Equal("88C1C0BFBE", Convert.ToHexString(block));
    }

    [Theory]
    [InlineData(200, "88")]
    [InlineData(204, "89")]
    [InlineData(206, "8A")]
    [InlineData(304, "8B")]
    [InlineData(400, "8C")]
    [InlineData(404, "8D")]
    [InlineData(500, "8E")]
    public void The_usual_statuses_are_static(int status, string hex) =>
        Assert.Equal(hex, Convert.ToHexString(Encode(status, null, default)));

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(103)]
    [InlineData(302)]
    [InlineData(599)]
    [InlineData(600)]
    [InlineData(9999)]
    public void Other_statuses_are_indexed(int status)
    {
        Assert.Equal([(":status", $"{status}")], Response(status, null, default));
        Assert.Equal("BE", Convert.ToHexString(Encode(status, null, default)));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10000)]
    public void A_status_has_four_digits_at_most(int status)
    {
        Assert.Equal(BlockResult.InvalidField, _encoder.EncodeResponse(new byte[100], status, null, null, default, out int written));
        Assert.Equal(("status-code", 0), (_encoder.Invalid, written));
        Assert.Equal([(":status", "200")], Response(200, null, default));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1234567890L)]
    [InlineData(long.MaxValue)]
    public void The_length_is_not_indexed(long length)
    {
        Assert.Equal([(":status", "200"), ("content-length", $"{length}")], Response(200, length, default));
        Assert.Equal(0, _encoder.TableSize);
    }

    [Theory]
    [InlineData("ETag", "0F13")]
    [InlineData("Last-Modified", "0F1D")]
    [InlineData("Content-Range", "0F0F")]
    [InlineData("Age", "0F06")]
    [InlineData("Location", "0F1F")]
    [InlineData("Content-Length", "0F0D")]
    public void Values_that_change_are_not_indexed(string name, string hex) => DemandLiteral(name, hex);

    [Theory]
    [InlineData("Set-Cookie", "1F28")]
    [InlineData("Content-Disposition", "1F0A")]
    [InlineData("Authorization", "1F08")]
    [InlineData("Proxy-Authorization", "1F22")]
    [InlineData("Proxy-Authenticate", "1F21")]
    [InlineData("WWW-Authenticate", "1F2E")]
    [InlineData("Cookie", "1F11")]
    [InlineData("Authentication-Info", "10")]
    [InlineData("Proxy-Authentication-Info", "10")]
    public void Secrets_are_never_indexed(string name, string hex) => DemandLiteral(name, hex);

    [Theory]
    [InlineData("Connection")]
    [InlineData("Transfer-Encoding")]
    [InlineData("keep-alive")]
    [InlineData("UPGRADE")]
    [InlineData("Proxy-Connection")]
    [InlineData("TE")]
    public void What_speaks_of_a_connection_is_left_out(string name)
    {
        Assert.Equal([(":status", "200"), ("a", "b")], Response(200, null, default, (name, "x"), ("a", "b")));
        Assert.Equal([("a", "b")], Trailers((name, "x"), ("a", "b")));
        var encoded = new FieldLines((name, "x")) { Encoding = Encoding.UTF8 };
        Assert.Equal(BlockResult.Done, _encoder.EncodeTrailers(new byte[10], encoded, out int written));
        Assert.Equal(0, written);
    }

    [Fact]
    public void Another_value_of_a_name_is_indexed_when_it_comes_again()
    {
        Encode(200, null, default, ("x-id", "1"));
        int size = _encoder.TableSize;
        for (int i = 2; i < 20; i++)
        {
            Assert.Equal([(":status", "200"), ("x-id", $"{i}")], Response(200, null, default, ("x-id", $"{i}")));
            Assert.Equal(size, _encoder.TableSize);
        }
        Assert.Equal("880F2F0132", Convert.ToHexString(Encode(200, null, default, ("x-id", "2")))[..10]); // its name is the entry's
        Encode(200, null, default, ("x-id", "1000"));
        Encode(200, null, default, ("x-id", "1000"));
        Assert.Equal("88BE", Convert.ToHexString(Encode(200, null, default, ("x-id", "1000"))));
        Assert.Equal("88BF", Convert.ToHexString(Encode(200, null, default, ("x-id", "1"))));
    }

    [Fact]
    public void A_date_is_indexed_when_its_second_has_another_response()
    {
        Encode(200, null, Defaults(FirstDate));
        int size = _encoder.TableSize;
        Assert.Equal("88BE", Convert.ToHexString(Encode(200, null, Defaults(FirstDate))));

        Assert.Equal([(":status", "200"), ("date", SecondDate)], Response(200, null, Defaults(SecondDate)));
        Assert.Equal(size, _encoder.TableSize);
        Assert.Equal([(":status", "200"), ("date", SecondDate)], Response(200, null, Defaults(SecondDate)));
        Assert.Equal(2 * size, _encoder.TableSize);
        Assert.Equal("88BE", Convert.ToHexString(Encode(200, null, Defaults(SecondDate))));
    }

    [Fact]
    public void Trailers_use_the_same_table()
    {
        Assert.Equal([("grpc-status", "0"), ("grpc-message", "")], Trailers(("grpc-status", "0"), ("grpc-message", "")));
        byte[] block = new byte[10];
        Assert.Equal(BlockResult.Done, _encoder.EncodeTrailers(block, new FieldLines(("Grpc-Status", "0")), out int written));
        Assert.Equal("BF", Convert.ToHexString(block[..written]));
    }

    [Fact]
    public void Without_the_table_nothing_is_indexed()
    {
        _encoder.UsesDynamicTable = false;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(
                [(":status", "302"), ("date", FirstDate), ("server", "asgi"), ("content-type", "text/plain"), ("x-a", "b")],
                Response(302, null, Defaults(FirstDate, "asgi"), ("content-type", "text/plain"), ("x-a", "b")));
        }
        Assert.Equal(0, _encoder.TableSize);
        Assert.Equal(0, _decoder.TableSize);
    }

    [Theory]
    [InlineData(2016, true)] // with "a" and 32 it is 2049, one more than half
    [InlineData(2015, false)]
    public void What_takes_more_than_half_of_the_table_is_not_indexed(int length, bool isTooLarge)
    {
        string value = new('v', length);
        Assert.Equal([(":status", "200"), ("a", value)], Response(200, null, default, ("a", value)));
        Assert.Equal(isTooLarge ? 0 : 2048, _encoder.TableSize);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":status")]
    [InlineData(":path")]
    [InlineData("a b")]
    [InlineData("a:")]
    [InlineData("a\r\nb")]
    [InlineData("a\0")]
    [InlineData("\u0130")]
    [InlineData("content-type ")]
    public void A_name_is_a_token(string name)
    {
        Encode(302, null, default); // a pseudo-header field in the table is not the application's
        Refuse((name, "302"));
        Refuse(("a", "b"), (name, "302"));
    }

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("\u0001")]
    [InlineData("a\u007f")]
    [InlineData("\u00e4")]
    [InlineData("\u010a")] // its low byte is a line feed
    [InlineData("\u200d")]
    [InlineData("a long value, for those that look at many characters at once, and then \n")]
    public void A_value_is_printable_ASCII(string value)
    {
        foreach (string name in new[] { "a", "content-type", "set-cookie", "etag" })
        {
            Refuse((name, value));
            Refuse(("b", "c"), (name, value));
        }
        Refuse(Encoding.UTF8, ("a", value), isValid: !value.Any(char.IsControl));
    }

    [Theory]
    [InlineData(" \t~")]
    [InlineData("")]
    public void All_of_printable_ASCII_is_sent(string value) =>
        Assert.Equal([(":status", "200"), ("a", value)], Response(200, null, default, ("a", value)));

    [Fact]
    public void A_value_may_have_an_encoding()
    {
        var fields = new FieldLines(("X-Name", "caf\u00e9"), ("Set-Cookie", "\u00e9=1")) { Encoding = Encoding.Latin1 };
        Assert.Null(HpackEncoder.FindInvalid(fields));
        byte[] block = new byte[100];
        Assert.Equal(BlockResult.Done, _encoder.EncodeTrailers(block, fields, out int written));
        Assert.Equal([("x-name", "caf\u00e9"), ("set-cookie", "\u00e9=1")], _decoder.Decode(block.AsSpan(0, written)));
        Assert.Equal(0, _encoder.TableSize);
    }

    [Fact]
    public void An_encoding_must_not_make_control_characters()
    {
        // UTF-16 has NULs, and strict ASCII cannot say the letter.
        Refuse(Encoding.Unicode, ("a", "b"), isValid: false);
        var ascii = Encoding.GetEncoding("us-ascii", new EncoderExceptionFallback(), new DecoderExceptionFallback());
        Refuse(ascii, ("a", "\u00e9"), isValid: false);
    }

    [Fact]
    public void What_may_not_be_sent_is_found_without_an_encoder()
    {
        Assert.Null(HpackEncoder.FindInvalid(new FieldLines(("a", "b"), ("Content-Type", "text/plain"))));
        Assert.Null(HpackEncoder.FindInvalid(new FieldLines()));
        Assert.Equal("c", HpackEncoder.FindInvalid(new FieldLines(("a", "b"), ("c", "\n"), ("d", "\n"))));
    }

    [Fact]
    public void A_block_that_does_not_fit_changes_nothing()
    {
        (string, string)[] fields =
            [("content-type", "text/html"), ("x-one", "1"), ("x-two", new string('2', 200)), ("etag", "\"abc\""), ("x-one", "2")];
        Encode(200, null, Defaults(FirstDate), ("x-one", "1"));

        // It does not fit until it does; and then it is decoded as if it had been the first.
        byte[] block = [];
        int written;
        int tableSize = _encoder.TableSize;
        while (_encoder.EncodeResponse(block, 302, 5, new FieldLines(fields), Defaults(SecondDate, "asgi"), out written)
            != BlockResult.Done)
        {
            Assert.Equal((0, tableSize), (written, _encoder.TableSize));
            block = new byte[block.Length + 1];
        }
        Assert.InRange(written, 100, block.Length);
        Assert.Equal(
            [
                (":status", "302"), ("date", SecondDate), ("server", "asgi"), ("content-length", "5"), ("content-type", "text/html"),
                ("x-one", "1"), ("x-two", new string('2', 200)), ("etag", "\"abc\""), ("x-one", "2"),
            ],
            _decoder.Decode(block));
        Assert.Equal(_decoder.TableSize, _encoder.TableSize);
    }

    [Theory]
    [InlineData(new[] { 4096 }, "")]
    [InlineData(new[] { 65536 }, "")]
    [InlineData(new[] { 100 }, "3F45")]
    [InlineData(new[] { 0 }, "20")]
    [InlineData(new[] { 100, 4096 }, "3F453FE11F")]
    [InlineData(new[] { 100, 200 }, "3F453FA901")]
    [InlineData(new[] { 200, 100 }, "3F45")]
    [InlineData(new[] { 200, 0, 100 }, "203F45")]
    [InlineData(new[] { 0, int.MaxValue }, "203FE11F")]
    public void The_next_block_begins_with_the_smallest_and_the_last_size(int[] sizes, string hex)
    {
        Encode(200, null, default, ("a", "b"));
        foreach (int size in sizes)
            _encoder.TableSizeMax = size;

        // Nothing is told by a block that is not sent.
        Assert.Equal(BlockResult.TooSmall, _encoder.EncodeResponse([], 200, null, null, default, out _));
        Assert.Equal(hex + "88", Convert.ToHexString(Encode(200, null, default)));
        Assert.Equal("88", Convert.ToHexString(Encode(200, null, default)));
        Assert.Equal(_decoder.TableSize, _encoder.TableSize);
    }

    [Fact]
    public void A_size_that_grows_is_told()
    {
        _encoder.TableSizeMax = 100;
        Encode(200, null, default);
        _encoder.TableSizeMax = 200;
        _encoder.TableSizeMax = 300;
        Assert.Equal("3F8D0288", Convert.ToHexString(Encode(200, null, default)));
        _encoder.TableSizeMax = 400;
        _encoder.TableSizeMax = 300;
        Assert.Equal("88", Convert.ToHexString(Encode(200, null, default)));
    }

    [Fact]
    public void A_table_of_no_size_is_not_used()
    {
        _encoder.TableSizeMax = 0;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(
                [(":status", "302"), ("date", FirstDate), ("a", "b")], Response(302, null, Defaults(FirstDate), ("a", "b")));
        }
        Assert.Equal(0, _encoder.TableSize);
    }

    [Fact]
    public void Fields_that_throw_leave_the_table_as_the_peer_has_it()
    {
        Encode(200, null, Defaults(FirstDate), ("a", "b"));
        int size = _encoder.TableSize;

        Assert.Throws<FormatException>(
            () => _encoder.EncodeResponse(new byte[8192], 302, null, new ThrowingFields(), Defaults(SecondDate, "asgi"), out _));
        Assert.Throws<FormatException>(() => _encoder.EncodeTrailers(new byte[8192], new ThrowingFields(), out _));

        Assert.Equal(size, _encoder.TableSize);
        Assert.Equal(
            [(":status", "302"), ("date", SecondDate), ("server", "asgi"), ("a", "b"), ("c", "d")],
            Response(302, null, Defaults(SecondDate, "asgi"), ("a", "b"), ("c", "d")));
        Assert.Equal(_decoder.TableSize, _encoder.TableSize);
    }

    private static DefaultFieldValues Defaults(string date = "", string server = "") =>
        new() { Date = Encoding.ASCII.GetBytes(date), Server = Encoding.ASCII.GetBytes(server) };

    // The decoder sees every block that was made, so that the tables stay in step.
    private byte[] Encode(int status, long? length, in DefaultFieldValues defaults, params (string, string)[] fields)
    {
        byte[] block = new byte[8192];
        Assert.Equal(BlockResult.Done, _encoder.EncodeResponse(block, status, length, new FieldLines(fields), defaults, out int written));
        _decoder.Decode(block.AsSpan(0, written));
        return block[..written];
    }

    private (string Name, string Value)[] Response(
        int status, long? length, in DefaultFieldValues defaults, params (string, string)[] fields)
    {
        byte[] block = new byte[8192];
        Assert.Equal(BlockResult.Done, _encoder.EncodeResponse(block, status, length, new FieldLines(fields), defaults, out int written));
        return _decoder.Decode(block.AsSpan(0, written));
    }

    private (string Name, string Value)[] Trailers(params (string, string)[] fields)
    {
        byte[] block = new byte[8192];
        Assert.Equal(BlockResult.Done, _encoder.EncodeTrailers(block, new FieldLines(fields), out int written));
        return _decoder.Decode(block.AsSpan(0, written));
    }

    private void DemandLiteral(string name, string hex)
    {
        for (int i = 0; i < 3; i++)
        {
            byte[] block = new byte[100];
            Assert.Equal(BlockResult.Done, _encoder.EncodeTrailers(block, new FieldLines((name, "value")), out int written));
            Assert.StartsWith(hex, Convert.ToHexString(block), StringComparison.Ordinal);
            Assert.Equal([(name.ToLowerInvariant(), "value")], _decoder.Decode(block.AsSpan(0, written)));
        }
        Assert.Equal(0, _encoder.TableSize);
    }

    // Refused in heads and trailers, at any size of the target, by name; the table does not keep what came before.
    private void Refuse(params (string Name, string Value)[] fields)
    {
        int tableSize = _encoder.TableSize;
        var source = new FieldLines(fields);
        string name = fields[^1].Name;
        Assert.Equal(name, HpackEncoder.FindInvalid(source));
        Assert.Equal(BlockResult.InvalidField, _encoder.EncodeResponse(new byte[500], 200, 1, source, default, out int written));
        Assert.Equal((name, 0), (_encoder.Invalid, written));
        Assert.Equal(BlockResult.InvalidField, _encoder.EncodeTrailers(new byte[500], source, out written));
        Assert.Equal((name, 0), (_encoder.Invalid, written));
        Assert.Equal(tableSize, _encoder.TableSize);
        Assert.Equal([(":status", "200"), ("e", "f")], Response(200, null, default, ("e", "f")));
    }

    private void Refuse(Encoding encoding, (string Name, string Value) field, bool isValid)
    {
        var source = new FieldLines(field) { Encoding = encoding };
        Assert.Equal(isValid ? null : field.Name, HpackEncoder.FindInvalid(source));
        Assert.Equal(
            isValid ? BlockResult.Done : BlockResult.InvalidField,
            new HpackEncoder().EncodeTrailers(new byte[500], source, out _));
    }

    private sealed class ThrowingFields : FieldSource
    {
        public override bool Next(ref FieldCursor cursor)
        {
            if (cursor.Line++ > 0)
                throw new FormatException();
            (cursor.Name, cursor.Value) = ("c", "d");
            return true;
        }
    }
}
