// Values in an encoding of the application: what may not be sent is judged before and after the encoding.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class FieldValueTextTests
{
    [Theory]
    [InlineData("a", null)]
    [InlineData("\u00e9", null)]
    [InlineData("a\n", "name")]
    [InlineData("\0", "name")]
    public void An_encoding_that_hides_control_characters_sends_none(string value, string? invalid) =>
        Assert.Equal(invalid, HpackEncoder.FindInvalid(new FieldLines(("name", value)) { Encoding = new Masking() }));

    // Every character becomes an "x".
    private sealed class Masking : Encoding
    {
        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
        {
            bytes.AsSpan(byteIndex, charCount).Fill((byte)'x');
            return charCount;
        }

        public override int GetCharCount(byte[] bytes, int index, int count) => throw new NotSupportedException();

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            throw new NotSupportedException();

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => byteCount;
    }
}
