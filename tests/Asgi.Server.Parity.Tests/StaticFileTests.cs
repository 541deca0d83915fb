// The static file middleware: validators, ranges (RFC 9110, sections 13 and 14), HEAD.

using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.FileProviders;

namespace Asgi.Server.Parity.Tests;

public sealed class StaticFileTests(StaticFileTests.Files hosts) : IClassFixture<StaticFileTests.Files>
{
    private const string Text = "0123456789abcdefghij";

    public sealed class Files : ParityHosts, IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parity");

        public Files()
        {
            File.WriteAllText(Path.Combine(_folder.FullName, "text.txt"), Text);
            File.WriteAllText(Path.Combine(_folder.FullName, "empty.txt"), "");
            File.WriteAllText(Path.Combine(_folder.FullName, "a b.txt"), "spaced");
            File.WriteAllBytes(Path.Combine(_folder.FullName, "large.txt"), Large);
        }

        public static byte[] Large { get; } = [.. Enumerable.Range(0, 300_000).Select(i => (byte)('a' + (i % 26)))];

        public void Dispose() => _folder.Delete(recursive: true);

        protected override void Pipeline(WebApplication application) =>
            application.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(_folder.FullName) });
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_file_comes_whole_with_its_length_and_validators(HostKind host)
    {
        using var response = await SendAsync(host, HttpMethod.Get, "/text.txt");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(20, response.Content.Headers.ContentLength);
        Assert.Equal("bytes", response.Headers.AcceptRanges.Single());
        Assert.NotNull(response.Headers.ETag);
        Assert.NotNull(response.Content.Headers.LastModified);
        Assert.Equal(Text, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Head_has_the_length_but_no_content(HostKind host)
    {
        using var response = await SendAsync(host, HttpMethod.Head, "/text.txt");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(20, response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_file_larger_than_every_buffer_arrives_whole(HostKind host)
    {
        using var response = await SendAsync(host, HttpMethod.Get, "/large.txt");

        Assert.Equal(Files.Large, await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task An_empty_file_has_length_zero(HostKind host)
    {
        using var response = await SendAsync(host, HttpMethod.Get, "/empty.txt");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(0, response.Content.Headers.ContentLength);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task An_encoded_name_is_found_and_a_missing_one_is_not(HostKind host)
    {
        // The test's app is what answers when no file does.
        await hosts.On(host, context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });

        using var spaced = await SendAsync(host, HttpMethod.Get, "/a%20b.txt");
        using var missing = await SendAsync(host, HttpMethod.Get, "/missing.txt");

        Assert.Equal("spaced", await spaced.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    public static TheoryData<HostKind, string, int, string?, string> Ranges
    {
        get
        {
            var data = new TheoryData<HostKind, string, int, string?, string>();
            foreach (var host in Hosts.Enabled)
            {
                data.Add(host, "bytes=0-0", 206, "bytes 0-0/20", "0");
                data.Add(host, "bytes=5-9", 206, "bytes 5-9/20", "56789");
                data.Add(host, "bytes=15-", 206, "bytes 15-19/20", "fghij");
                data.Add(host, "bytes=-3", 206, "bytes 17-19/20", "hij");
                data.Add(host, "bytes=19-19", 206, "bytes 19-19/20", "j");
                data.Add(host, "bytes=20-", 416, "bytes */20", "");
                data.Add(host, "bytes=18-99", 206, "bytes 18-19/20", "ij");
                data.Add(host, "bytes=0-1,3-4", 200, null, Text);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public async Task A_range_is_cut_out_of_the_file(HostKind host, string range, int status, string? contentRange, string body)
    {
        using var response = await SendAsync(host, HttpMethod.Get, "/text.txt", ("Range", range));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(contentRange, response.Content.Headers.ContentRange?.ToString());
        Assert.Equal(body.Length, response.Content.Headers.ContentLength ?? 0);
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Preconditions_give_304_and_412(HostKind host)
    {
        using var whole = await SendAsync(host, HttpMethod.Get, "/text.txt");
        var tag = whole.Headers.ETag!.ToString();
        var modified = whole.Content.Headers.LastModified!.Value;

        using var sameTag = await SendAsync(host, HttpMethod.Get, "/text.txt", ("If-None-Match", tag));
        using var notSince = await SendAsync(host, HttpMethod.Get, "/text.txt", ("If-Modified-Since", Date(modified)));
        using var otherTag = await SendAsync(host, HttpMethod.Get, "/text.txt", ("If-Match", "\"other\""));
        using var changed = await SendAsync(host, HttpMethod.Get, "/text.txt", ("If-None-Match", "\"other\""));
        using var notRanged = await SendAsync(host, HttpMethod.Get, "/text.txt", ("Range", "bytes=0-1"), ("If-Range", "\"other\""));

        Assert.Equal(HttpStatusCode.NotModified, sameTag.StatusCode);
        Assert.Empty(await sameTag.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.NotModified, notSince.StatusCode);
        Assert.Equal(HttpStatusCode.PreconditionFailed, otherTag.StatusCode);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.Equal(Text, await notRanged.Content.ReadAsStringAsync());
    }

    private static string Date(DateTimeOffset date) => date.ToString("R", CultureInfo.InvariantCulture);

    private async Task<HttpResponseMessage> SendAsync(
        HostKind host, HttpMethod method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await (await hosts.On(host)).Client.SendAsync(request);
    }
}
