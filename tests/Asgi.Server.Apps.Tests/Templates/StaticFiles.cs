// The styles and scripts a page links to, asked for in every way a browser and its cache do. Called by tests of templates.

using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Asgi.Server.Apps.Tests;

internal static partial class StaticFiles
{
    /// <returns>How many files the page links to.</returns>
    public static async Task<int> CheckAsync(HttpClient client, string page)
    {
        var html = await client.GetStringAsync(Relative(page));
        var files = Links().Matches(html).Select(link => link.Groups[1].Value).Distinct().ToArray();
        foreach (var file in files)
            await CheckFileAsync(client, file.StartsWith('/') ? file : $"/{file}");
        return files.Length;
    }

    private static async Task CheckFileAsync(HttpClient client, string file)
    {
        using var plain = await SendAsync(client, HttpMethod.Get, file);
        var content = await plain.Content.ReadAsByteArrayAsync();
        Assert.Equal((file, HttpStatusCode.OK), (file, plain.StatusCode));
        Assert.Equal("Asgi.Server", plain.Headers.Server.ToString());
        Assert.Equal(plain.Content.Headers.ContentLength, content.Length);
        Assert.Empty(plain.Content.Headers.ContentEncoding);

        using var head = await SendAsync(client, HttpMethod.Head, file);
        Assert.Equal(plain.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());

        using var unchanged = await SendAsync(client, HttpMethod.Get, file, headers => headers.IfNoneMatch.Add(plain.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Empty(await unchanged.Content.ReadAsByteArrayAsync());

        using var part = await SendAsync(client, HttpMethod.Get, file, headers => headers.Range = new RangeHeaderValue(5, 14));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(content[5..15], await part.Content.ReadAsByteArrayAsync());

        foreach (var encoding in new[] { "br", "gzip" })
        {
            using var packed = await SendAsync(client, HttpMethod.Get, file, headers => headers.AcceptEncoding.ParseAdd(encoding));
            Assert.Equal((file, encoding), (file, packed.Content.Headers.ContentEncoding.SingleOrDefault()));
            Assert.Equal(content, Unpack(await packed.Content.ReadAsByteArrayAsync(), encoding));
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, HttpMethod method, string file, Action<HttpRequestHeaders>? headers = null)
    {
        using var request = new HttpRequestMessage(method, Relative(file));
        headers?.Invoke(request.Headers);
        return await client.SendAsync(request);
    }

    private static byte[] Unpack(byte[] content, string encoding)
    {
        using var packed = new MemoryStream(content);
        using Stream stream = encoding == "br"
            ? new BrotliStream(packed, CompressionMode.Decompress)
            : new GZipStream(packed, CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        stream.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    [GeneratedRegex(@"<(?:link|script)[^>]*\s(?:href|src)=""([^""]+\.(?:css|js)(?:\?[^""]*)?)""")]
    private static partial Regex Links();
}
