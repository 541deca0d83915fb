// One table of requests, three clients: what each of them must be able to do with the server, and what must not depend on which it is.

using System.Text;

namespace Asgi.Server.Apps.Tests;

public sealed class MatrixTests(MatrixServer server) : IClassFixture<MatrixServer>
{
    private const int Last = MatrixServer.FileSize - 1;
    private const string Same = MatrixServer.FileTag;

    private static readonly int[] Sizes = [0, 1, 64 * 1024, 10 * 1024 * 1024];

    public static TheoryData<int, bool, bool> Uploads => Cross(expects: [false, true]);

    public static TheoryData<int, bool, bool> UploadsAtOnce => Cross(expects: [false]);

    public static TheoryData<int, bool> Downloads
    {
        get
        {
            var data = new TheoryData<int, bool>();
            foreach (var size in Sizes)
            {
                data.Add(size, false);
                data.Add(size, true);
            }
            return data;
        }
    }

    // Range, If-Range, and of which bytes the answer is: none for a refusal, no Content-Range for the whole.
    public static TheoryData<string, string?, int, int, int> Ranges => new()
    {
        { "bytes=0-0", null, 206, 0, 0 },
        { "bytes=100000-199999", null, 206, 100_000, 199_999 },
        { "bytes=1048000-", null, 206, 1_048_000, Last },
        { "bytes=-1", null, 206, Last, Last },
        { "bytes=-2000000", null, 206, 0, Last },
        { $"bytes={Last}-9999999", null, 206, Last, Last },
        { "bytes=1048576-", null, 416, -1, -1 },
        { "bytes=0-9,20-29", null, 200, 0, Last }, // more than one range at a time is not for ASP.NET
        { "bytes=5-14", Same, 206, 5, 14 },
        { "bytes=5-14", "\"another\"", 200, 0, Last },
    };

    public static TheoryData<string> Ways => ["PUT", "GET"];

    [Theory, MemberData(nameof(Uploads))]
    public Task HttpClient_uploads(int size, bool isChunked, bool expects) => UploadAsync(new DotnetClient(), size, isChunked, expects);

    [ClientTheory("curl"), MemberData(nameof(Uploads))]
    public Task Curl_uploads(int size, bool isChunked, bool expects) => UploadAsync(new CurlClient(), size, isChunked, expects);

    [NodeTheory, MemberData(nameof(UploadsAtOnce))]
    public Task Undici_uploads(int size, bool isChunked, bool expects) => UploadAsync(new UndiciClient(), size, isChunked, expects);

    [Theory, MemberData(nameof(Downloads))]
    public Task HttpClient_downloads(int size, bool isChunked) => DownloadAsync(new DotnetClient(), size, isChunked);

    [ClientTheory("curl"), MemberData(nameof(Downloads))]
    public Task Curl_downloads(int size, bool isChunked) => DownloadAsync(new CurlClient(), size, isChunked);

    [NodeTheory, MemberData(nameof(Downloads))]
    public Task Undici_downloads(int size, bool isChunked) => DownloadAsync(new UndiciClient(), size, isChunked);

    [Theory, MemberData(nameof(Ranges))]
    public Task HttpClient_asks_for_a_part(string range, string? ifRange, int status, int first, int last) =>
        AskForPartAsync(new DotnetClient(), range, ifRange, status, first, last);

    [ClientTheory("curl"), MemberData(nameof(Ranges))]
    public Task Curl_asks_for_a_part(string range, string? ifRange, int status, int first, int last) =>
        AskForPartAsync(new CurlClient(), range, ifRange, status, first, last);

    [NodeTheory, MemberData(nameof(Ranges))]
    public Task Undici_asks_for_a_part(string range, string? ifRange, int status, int first, int last) =>
        AskForPartAsync(new UndiciClient(), range, ifRange, status, first, last);

    [Fact]
    public Task HttpClient_asks_for_a_head() => AskForHeadAsync(new DotnetClient());

    [ClientFact("curl")]
    public Task Curl_asks_for_a_head() => AskForHeadAsync(new CurlClient());

    [NodeFact]
    public Task Undici_asks_for_a_head() => AskForHeadAsync(new UndiciClient());

    [Theory, MemberData(nameof(Ways))]
    public Task HttpClient_gives_up(string method) => GiveUpAsync(new DotnetClient(), method);

    [ClientTheory("curl"), MemberData(nameof(Ways))]
    public Task Curl_gives_up(string method) => GiveUpAsync(new CurlClient(), method);

    [NodeTheory, MemberData(nameof(Ways))]
    public Task Undici_gives_up(string method) => GiveUpAsync(new UndiciClient(), method);

    private async Task UploadAsync(IMatrixClient client, int size, bool isChunked, bool expects)
    {
        var answer = await client.SendAsync(server.Address, new("POST", "/upload", size, isChunked, expects));

        AssertAnswer(answer, 200, Encoding.ASCII.GetBytes($"{size} {MatrixServer.Hash(MatrixServer.Content(size))}"));
        // Of chunks without content a client may make a length.
        if (size > 0)
            Assert.Equal(isChunked ? "chunked" : $"{size}", answer.Field("x-framing"));
    }

    private async Task DownloadAsync(IMatrixClient client, int size, bool isChunked)
    {
        var answer = await client.SendAsync(server.Address, new("GET", $"/download?size={size}&isChunked={isChunked}"));

        AssertAnswer(answer, 200, MatrixServer.Content(size));
        Assert.Equal(isChunked ? "chunked" : null, answer.Field("transfer-encoding"));
        Assert.Equal(isChunked ? null : $"{size}", answer.Field("content-length"));
    }

    private async Task AskForPartAsync(IMatrixClient client, string range, string? ifRange, int status, int first, int last)
    {
        var fields = new Dictionary<string, string> { ["Range"] = range };
        if (ifRange is not null)
            fields["If-Range"] = ifRange;

        var answer = await client.SendAsync(server.Address, new("GET", "/file", Fields: fields));

        AssertAnswer(answer, status, first < 0 ? [] : MatrixServer.Content(MatrixServer.FileSize)[first..(last + 1)]);
        Assert.Equal(
            status switch
            {
                206 => $"bytes {first}-{last}/{MatrixServer.FileSize}",
                416 => $"bytes */{MatrixServer.FileSize}",
                _ => null,
            },
            answer.Field("content-range"));
    }

    private async Task AskForHeadAsync(IMatrixClient client)
    {
        var answer = await client.SendAsync(server.Address, new("HEAD", "/file"));

        // undici trusts no connection after a HEAD, and says so in it.
        AssertAnswer(answer, 200, [], isLast: client is UndiciClient);
        Assert.Equal($"{MatrixServer.FileSize}", answer.Field("content-length"));
        Assert.Equal(Same, answer.Field("etag"));
    }

    // The app learns of it, and the server goes on.
    private async Task GiveUpAsync(IMatrixClient client, string method)
    {
        await client.AbortAsync(new Uri(server.Address, "/endless"), new HttpMethod(method), server.ExpectAsync("underway"));

        await server.ExpectAsync("aborted");
    }

    private static void AssertAnswer(MatrixAnswer answer, int status, byte[] content, bool isLast = false)
    {
        Assert.Equal(status, answer.Status);
        Assert.Equal(content.Length, answer.Length);
        Assert.Equal(MatrixServer.Hash(content), answer.Sha256);
        Assert.Equal(isLast ? "close" : null, answer.Field("connection"));
        Assert.Equal(isLast, answer.Field("x-connection") != answer.Next);
    }

    private static TheoryData<int, bool, bool> Cross(bool[] expects)
    {
        var data = new TheoryData<int, bool, bool>();
        foreach (var size in Sizes)
            foreach (var isChunked in new[] { false, true })
                foreach (var expect in expects)
                    data.Add(size, isChunked, expect);
        return data;
    }
}
