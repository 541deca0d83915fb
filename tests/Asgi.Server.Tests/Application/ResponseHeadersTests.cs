// The response's header dictionary: what IDictionary and IHeaderDictionary promise, with Content-Length as a number among the strings.

using Asgi.Server.Application;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Tests.Application;

public sealed class ResponseHeadersTests
{
    private readonly IHeaderDictionary _headers = new ResponseHeaders(exchange: null);

    private IDictionary<string, StringValues> Dictionary => _headers;

    [Fact]
    public void A_name_is_found_in_any_case_and_keeps_its_first_spelling()
    {
        _headers["X-A"] = "1";
        _headers["x-a"] = "2";

        Assert.Equal("2", _headers["X-a"]);
        Assert.True(_headers.ContainsKey("X-A"));
        Assert.Equal(["X-A"], _headers.Keys);
    }

    [Fact]
    public void Add_refuses_a_name_that_is_there()
    {
        Dictionary.Add("X-A", "1");
        Dictionary.Add("Content-Length", "1");

        Assert.Throws<ArgumentException>(() => Dictionary.Add("x-a", "2"));
        Assert.Throws<ArgumentException>(() => Dictionary.Add("content-length", "2"));
        Assert.Throws<ArgumentException>(() => _headers.Add(new("X-A", "2")));
        Assert.Equal("1", _headers["X-A"]);
        Assert.Equal(1, _headers.ContentLength);
    }

    [Fact]
    public void Append_adds_a_value()
    {
        _headers.Append("X-A", "1");
        _headers.Append("x-a", "2");

        Assert.Equal(new StringValues(["1", "2"]), _headers["X-A"]);
        Assert.Single(_headers);
    }

    [Fact]
    public void Remove_says_whether_there_was_something()
    {
        _headers["X-A"] = "1";
        _headers["X-B"] = "2";
        _headers["X-C"] = "3";

        Assert.True(_headers.Remove("x-b"));
        Assert.False(_headers.Remove("X-B"));
        Assert.Equal(["X-A", "X-C"], _headers.Keys);
        Assert.Equal("3", _headers["X-C"]);
    }

    [Fact]
    public void Remove_of_a_pair_needs_its_value()
    {
        _headers["X-A"] = "1";

        Assert.False(_headers.Remove(new KeyValuePair<string, StringValues>("X-A", "2")));
        Assert.True(_headers.Remove(new KeyValuePair<string, StringValues>("X-A", "1")));
        Assert.Empty(_headers);
    }

    [Fact]
    public void Clear_leaves_nothing()
    {
        _headers["X-A"] = "1";
        _headers.ContentLength = 1;

        _headers.Clear();

        Assert.Empty(_headers);
        Assert.Null(_headers.ContentLength);
        Assert.Equal(StringValues.Empty, _headers["X-A"]);
    }

    public static TheoryData<string?[]?, string[]?> Values => new()
    {
        { null, null },
        { [], null },
        { [""], [""] },
        { ["", ""], ["", ""] },
        { ["a"], ["a"] },
        { ["a", "b"], ["a", "b"] },
        { ["a\tb ~"], ["a\tb ~"] },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_without_strings_removes_and_an_empty_string_is_a_value(string?[]? set, string[]? kept)
    {
        _headers["X-A"] = "before";
        _headers["X-A"] = set is null ? default : new StringValues(set);

        Assert.Equal(kept is not null, _headers.TryGetValue("X-A", out var value));
        Assert.Equal(kept ?? [], value.ToArray());
        Assert.Equal(kept is null ? 0 : 1, _headers.Count);
    }

    [Fact]
    public void Content_length_is_a_number_and_an_entry()
    {
        _headers["X-A"] = "a";
        _headers.ContentLength = 12;

        Assert.Equal("12", _headers["content-length"]);
        Assert.Equal(2, _headers.Count);
        Assert.Equal(["Content-Length", "X-A"], _headers.Keys);
        Assert.Equal(["12", "a"], _headers.Values.Select(value => value.ToString()));
        Assert.True(_headers.Contains(new("Content-Length", "12")));

        _headers["Content-Length"] = long.MaxValue.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(long.MaxValue, _headers.ContentLength);
        Assert.True(_headers.Remove("CONTENT-LENGTH"));
        Assert.False(_headers.Remove("CONTENT-LENGTH"));
        Assert.Null(_headers.ContentLength);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("0x1")]
    [InlineData("1,1")]
    [InlineData("9223372036854775808")]
    [InlineData("one")]
    public void A_content_length_that_is_no_number_is_refused(string value)
    {
        Assert.Throws<InvalidOperationException>(() => _headers["Content-Length"] = value);
        Assert.Null(_headers.ContentLength);
    }

    [Fact]
    public void Two_content_lengths_are_refused()
    {
        Assert.Throws<InvalidOperationException>(() => _headers["Content-Length"] = new StringValues(["1", "1"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _headers.ContentLength = -1);
        _headers.ContentLength = 1;
        _headers["Content-Length"] = "";
        Assert.Null(_headers.ContentLength);
    }

    [Theory]
    [InlineData("X A", "v")]
    [InlineData("X:A", "v")]
    [InlineData("X\r\nA", "v")]
    [InlineData("Ä", "v")]
    [InlineData("X", "a\r\nB: c")]
    [InlineData("X", "a\nb")]
    [InlineData("X", "a\rb")]
    [InlineData("X", "a\0b")]
    [InlineData("X", "\u007F")]
    [InlineData("X", "ä")]
    [InlineData("X", "\u010A")]
    public void What_must_not_be_sent_is_refused_when_it_is_set(string name, string value)
    {
        Assert.Throws<InvalidOperationException>(() => _headers[name] = value);
        Assert.Throws<InvalidOperationException>(() => Dictionary.Add(name, new StringValues(["fine", value])));
        Assert.Empty(_headers);
    }

    [Fact]
    public void A_name_must_not_be_empty()
    {
        Assert.Throws<InvalidOperationException>(() => _headers[""] = "v");
        Assert.Throws<ArgumentNullException>(() => _headers[null!] = "v");
    }

    [Fact]
    public void Many_fields_keep_their_order()
    {
        var names = Enumerable.Range(0, 100).Select(i => $"X-{i}").ToArray();
        foreach (var name in names)
            _headers[name] = name;

        Assert.Equal(names, _headers.Keys);
        Assert.Equal(names, _headers.Select(field => field.Value.ToString()));
        var copy = new KeyValuePair<string, StringValues>[101];
        _headers.CopyTo(copy, 1);
        Assert.Equal("X-99", copy[100].Key);
    }
}
