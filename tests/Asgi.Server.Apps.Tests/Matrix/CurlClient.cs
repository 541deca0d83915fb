// curl as a client of the matrix.

using System.Diagnostics;
using System.Text;

namespace Asgi.Server.Apps.Tests;

internal sealed class CurlClient : IMatrixClient
{
    private static readonly string[] Common = ["--silent", "--show-error", "--max-time", "30"];

    public async Task<MatrixAnswer> SendAsync(Uri server, MatrixRequest request)
    {
        using var folder = new TemporaryFolder();
        List<string> arguments = [.. Common, "--dump-header", folder["head"], "--output", folder["content"]];
        arguments.AddRange("--header", request.Expects ? "Expect: 100-continue" : "Expect:");
        byte[]? upload = request.Size is { } size ? MatrixServer.Content(size) : null;
        if (upload is not null)
        {
            // What comes from a pipe has no length, and so is sent in chunks.
            if (!request.IsChunked)
                await File.WriteAllBytesAsync(folder["upload"], upload);
            arguments.AddRange("--request", request.Method, "--upload-file", request.IsChunked ? "-" : folder["upload"]);
        }
        if (request.Method == "HEAD")
            arguments.Add("--head");
        foreach (var (name, value) in request.Fields ?? [])
            arguments.AddRange("--header", $"{name}: {value}");
        arguments.AddRange(Url(server, request.Path), "--next", "--silent", "--show-error", Url(server, "/connection"));

        var next = (await ClientProcess.RunAsync("curl", request.IsChunked ? upload : null, [.. arguments])).Succeeded;

        var content = File.Exists(folder["content"]) && request.Method != "HEAD" ? await File.ReadAllBytesAsync(folder["content"]) : [];
        var (status, fields) = Parse(
            await File.ReadAllTextAsync(folder["head"], Encoding.Latin1),
            // There is nothing to go on with where the head already says that nothing follows.
            hasContinued: request.Expects && (request.IsChunked || request.Size > 0));
        return new(status, fields, content.Length, MatrixServer.Hash(content), next);
    }

    // curl knows no other way to give up than to be ended.
    public async Task AbortAsync(Uri address, HttpMethod method, Task whenUnderway)
    {
        string[] transfer = method == HttpMethod.Put ? ["--upload-file", "/dev/zero"] : ["--output", "/dev/null"];
        using var curl = Process.Start("curl", [.. Common, .. transfer, address.AbsoluteUri]);
        try
        {
            await whenUnderway;
        }
        finally
        {
            curl.Kill();
            await curl.WaitForExitAsync();
        }
        var after = await ClientProcess.RunAsync("curl", [.. Common, "--write-out", "[%{http_code}]", Url(address, "/connection")]);
        Assert.EndsWith("[200]", after.Succeeded, StringComparison.Ordinal);
    }

    private static string Url(Uri server, string path) => new Uri(server, path).AbsoluteUri;

    // The last head is the response's; the ones before it are interim.
    private static (int Status, Dictionary<string, string> Fields) Parse(string text, bool hasContinued)
    {
        var heads = text.Split("\r\n\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(hasContinued ? 2 : 1, heads.Length);
        if (hasContinued)
            Assert.StartsWith("HTTP/1.1 100 ", heads[0], StringComparison.Ordinal);
        var lines = heads[^1].Split("\r\n");
        var fields = lines[1..].Select(line => line.Split(": ", 2)).ToDictionary(field => field[0].ToLowerInvariant(), field => field[1]);
        return (int.Parse(lines[0].Split(' ')[1]), fields);
    }
}
