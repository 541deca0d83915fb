// Request headers are read from the bytes of the head when somebody asks: what that saves, and that nobody else can tell.

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Tests.Application;

public sealed class RequestHeadersTests
{
    private static readonly string[] Same = ["a", "a"];

    [Theory]
    [InlineData("X-A: same\r\n", "X-A: same\r\n", true)]
    [InlineData("X-A: same\r\n", "x-a: same\r\n", true)]
    [InlineData("X-A: one\r\n", "X-A: two\r\n", false)]
    [InlineData("X-A: sam\r\n", "X-A: same\r\n", false)]
    [InlineData("X-A: same\r\n", "X-A: Same\r\n", false)]
    public async Task A_value_with_the_same_bytes_is_the_same_string(string first, string second, bool isSame)
    {
        var seen = await SeeAsync([first, second], headers => headers["X-A"].ToString());

        Assert.Equal(isSame, ReferenceEquals(seen[0], seen[1]));
        Assert.Equal(isSame, seen[0] == seen[1]);
    }

    [Fact]
    public async Task A_value_outside_ASCII_is_read_anew_and_rightly()
    {
        // 0xC3 0xA9 is U+00E9 in UTF-8; the wire literal holds one char per byte.
        var seen = await SeeAsync(["X-A: caf\u00C3\u00A9\r\n", "X-A: caf\u00C3\u00A9\r\n"], headers => headers["X-A"].ToString());

        Assert.Equal(["caf\u00E9", "caf\u00E9"], seen);
    }

    [Fact]
    public async Task More_headers_than_are_remembered_are_read_all_the_same()
    {
        var lines = string.Concat(Enumerable.Range(0, 99).Select(i => $"X-{i}: value {i}\r\n"));

        var seen = await SeeAsync([lines, lines], headers => string.Join(';', Enumerable.Range(0, 99).Select(i => headers[$"X-{i}"])));

        Assert.Equal(string.Join(';', Enumerable.Range(0, 99).Select(i => $"value {i}")), seen[0]);
        Assert.Equal(seen[0], seen[1]);
    }

    [Fact]
    public async Task Repeated_lines_are_one_entry_in_order_of_arrival()
    {
        var seen = await SeeAsync(["X-A: 1\r\nX-B: b\r\nx-a: 2\r\nX-A: 3\r\n"], headers =>
        {
            var lazily = headers["X-A"];
            var count = headers.Count; // makes the dictionary
            Assert.Equal(lazily, headers["X-A"]);
            return $"{count} {string.Join('|', lazily.ToArray())}";
        });

        Assert.Equal("3 1|2|3", seen[0]);
    }

    [Fact]
    public async Task What_is_not_there_is_empty()
    {
        await SeeAsync([""], headers =>
        {
            Assert.Equal(StringValues.Empty, headers["X-None"]);
            Assert.False(headers.TryGetValue("X-None", out var value));
            Assert.Equal(StringValues.Empty, value);
            Assert.False(headers.ContainsKey("X-None"));
            Assert.Null(headers.ContentLength);
            return "";
        });
    }

    [Fact]
    public async Task A_changed_dictionary_is_changed_in_all_its_parts()
    {
        await SeeAsync(["X-A: a\r\nX-B: b\r\n"], headers =>
        {
            Assert.Equal("a", headers["X-A"]);

            headers["X-A"] = "changed";
            headers.Append("X-B", "more");
            ((IDictionary<string, StringValues>)headers).Add("X-C", "c");
            Assert.True(headers.Remove("Host"));
            headers.ContentLength = 5;

            Assert.Equal("changed", headers["x-a"]);
            Assert.Equal(new StringValues(["b", "more"]), headers["X-B"]);
            Assert.False(headers.ContainsKey("Host"));
            Assert.Equal("5", headers["Content-Length"]);
            Assert.Equal(["Content-Length", "X-A", "X-B", "X-C"], headers.Keys.Order());
            Assert.Throws<ArgumentException>(() => ((IDictionary<string, StringValues>)headers).Add("x-c", "again"));
            return "";
        });
    }

    [Fact]
    public async Task A_change_ends_with_its_request()
    {
        var requests = 0;
        var seen = await SeeAsync(["X-A: a\r\n", "X-A: a\r\n"], headers =>
        {
            var seen = headers["X-A"].ToString();
            if (requests++ == 0)
                headers.Clear();
            return seen;
        });

        Assert.Equal(Same, seen);
    }

    [Fact]
    public async Task Enumeration_shows_every_line_and_looking_up_agrees_with_it()
    {
        await SeeAsync(["X-A: a\r\nX-Empty:\r\n"], headers =>
        {
            foreach (var (name, value) in headers)
            {
                Assert.Equal(value, headers[name]);
                Assert.Contains(new KeyValuePair<string, StringValues>(name, value), headers);
            }
            Assert.Equal(["Host", "X-A", "X-Empty"], headers.Keys.Order());
            Assert.Equal("", headers["X-Empty"]);
            Assert.True(headers.ContainsKey("X-Empty"));
            var copy = new KeyValuePair<string, StringValues>[3];
            headers.CopyTo(copy, 0);
            Assert.All(copy, pair => Assert.NotNull(pair.Key));
            return "";
        });
    }

    /// <summary>What the app sees of each of several requests on one connection.</summary>
    private static async Task<List<string>> SeeAsync(string[] requests, Func<IHeaderDictionary, string> see)
    {
        List<string> seen = [];
        await using var host = await AppHost.StartAsync(context =>
        {
            seen.Add(see(context.Request.Headers));
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();
        foreach (var lines in requests)
        {
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
            Assert.Equal(200, (await client.ReadResponseAsync())!.Status);
        }
        return seen;
    }
}
