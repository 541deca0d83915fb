// RFC 9110, section 5: the field section and the character classes of names and values.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Tests.Http;

public class Rfc9110_05_FieldTests
{
    [Fact]
    public void Names_are_found_without_regard_to_case()
    {
        FieldSection section = Section(("Host", "a"), ("Accept", "b"), ("accept", "c"));
        Assert.Equal(0, section.Find("HOST"));
        Assert.Equal(1, section.Find("accept"u8));
        Assert.Equal(2, section.Find("Accept", from: 2));
        Assert.Equal(2, section.Find("Accept"u8, from: 2));
        Assert.Equal(-1, section.Find("Accept", from: 3));
        Assert.Equal(-1, section.Find("Hos"u8));
        Assert.Equal(-1, section.Find("Hosts"));
    }

    [Fact]
    public void Lines_beyond_the_count_do_not_exist()
    {
        FieldSection section = Section(("A", "1"));
        Assert.Throws<ArgumentOutOfRangeException>(() => section.GetName(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => section.GetValue(-1).Length);
        section.Clear();
        Assert.Equal(0, section.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => section.GetName(0).Length);
    }

    [Theory]
    [InlineData(0, "b=2 c=3")]
    [InlineData(1, "a=1 c=3")]
    [InlineData(2, "a=1 b=2")]
    public void A_removed_line_leaves_the_others_in_order(int index, string left)
    {
        FieldSection section = Section(("a", "1"), ("b", "2"), ("c", "3"));
        section.RemoveAt(index);
        Assert.Equal(left, Show(section));
        Assert.Throws<ArgumentOutOfRangeException>(() => section.RemoveAt(2));
    }

    [Fact]
    public void The_bytes_may_move_between_two_bindings()
    {
        byte[] first = "a1"u8.ToArray();
        var section = new FieldSection();
        section.Add(0, 1, 1, 1);
        section.Bind(first, 0);
        Assert.Equal("a=1", Show(section));
        section.Bind("xxb2"u8.ToArray(), 2);
        Assert.Equal("b=2", Show(section));
    }

    [Fact]
    public void A_copy_owns_its_bytes()
    {
        byte[] bytes = "xA1Bxx22"u8.ToArray();
        var section = new FieldSection();
        section.Bind(bytes, 1);
        section.Add(0, 1, 1, 1);
        section.Add(2, 1, 5, 2);
        var copy = new FieldSection();
        section.CopyTo(copy);
        Array.Clear(bytes);
        Assert.Equal("A=1 B=22", Show(copy));

        Section(("C", "")).CopyTo(copy);
        Assert.Equal("C=", Show(copy));
    }

    [Fact]
    public void The_section_grows()
    {
        FieldSection section = Section([.. Enumerable.Range(0, 100).Select(i => ($"n{i}", $"v{i}"))]);
        Assert.Equal(100, section.Count);
        Assert.Equal(99, section.Find("N99"));
        Assert.Equal("v99", Encoding.ASCII.GetString(section.GetValue(99)));
    }

    [Fact]
    public void Each_byte_is_in_the_classes_of_the_grammar()
    {
        const string Delimiters = "\"(),/:;<=>?@[\\]{}";
        for (int c = 0; c < 256; c++)
        {
            bool isVisible = c is > ' ' and < 0x7F;
            Assert.Equal(isVisible && !Delimiters.Contains((char)c), Grammar.IsToken([(byte)c]));
            Assert.Equal(isVisible && !Delimiters.Contains((char)c), Grammar.IsToken([(char)c]));
            Assert.Equal(isVisible || c is ' ' or '\t', Grammar.IsFieldValue([(char)c]));
            // A byte above 0x7F alone is never UTF-8.
            Assert.Equal(isVisible || c is ' ' or '\t', Grammar.IsFieldValue([(byte)c]));
        }
        Assert.False(Grammar.IsToken(""u8));
        Assert.False(Grammar.IsToken(""));
        Assert.False(Grammar.IsToken("\u0100"));
        Assert.True(Grammar.IsFieldValue(""u8));
        Assert.True(Grammar.IsFieldValue("\u00E9"u8));
        Assert.False(Grammar.IsFieldValue("\u00E9"));
        Assert.False(Grammar.IsFieldValue("\u0141"));
    }

    [Theory]
    [InlineData("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("2026-01-01T01:00:00+02:00", "Wed, 31 Dec 2025 23:00:00 GMT")]
    public void A_date_is_an_IMF_fixdate_in_GMT(string value, string date)
    {
        var destination = new byte[HttpDate.Size];
        HttpDate.Format(DateTimeOffset.Parse(value), destination);
        Assert.Equal(date, Encoding.ASCII.GetString(destination));
        Assert.Throws<ArgumentException>(() => HttpDate.Format(DateTimeOffset.Parse(value), new byte[HttpDate.Size - 1]));
    }

    private static FieldSection Section(params (string Name, string Value)[] lines)
    {
        var section = new FieldSection();
        var bytes = new List<byte>();
        foreach ((string name, string value) in lines)
        {
            section.Add(bytes.Count, name.Length, bytes.Count + name.Length, value.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(name + value));
        }
        section.Bind([.. bytes], 0);
        return section;
    }

    private static string Show(FieldSection section) => string.Join(' ', Enumerable.Range(0, section.Count)
        .Select(i => $"{Encoding.ASCII.GetString(section.GetName(i))}={Encoding.ASCII.GetString(section.GetValue(i))}"));
}
