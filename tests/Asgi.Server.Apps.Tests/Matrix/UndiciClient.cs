// undici, the HTTP client of Node, as a client of the matrix. It cannot wait for 100 (Continue).

using System.Diagnostics;
using System.Text.Json;

namespace Asgi.Server.Apps.Tests;

internal sealed class UndiciClient : IMatrixClient
{
    public async Task<MatrixAnswer> SendAsync(Uri server, MatrixRequest request)
    {
        var argument = JsonSerializer.Serialize(new
        {
            origin = server.GetLeftPart(UriPartial.Authority),
            method = request.Method,
            path = request.Path,
            headers = request.Fields ?? [],
            size = request.Size,
            isChunked = request.IsChunked,
        });
        var output = (await ClientProcess.RunAsync("node", Script("undici-request.mjs"), argument)).Succeeded;
        var answer = JsonSerializer.Deserialize<Answer>(output, JsonSerializerOptions.Web)!;
        return new(answer.Status, answer.Headers, answer.Length, answer.Sha256, answer.Next);
    }

    public async Task AbortAsync(Uri address, HttpMethod method, Task whenUnderway)
    {
        using var node = Process.Start(new ProcessStartInfo("node", [Script("undici-abort.mjs"), address.AbsoluteUri, method.Method])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            await whenUnderway;
            node.StandardInput.Close();
            var output = await node.StandardOutput.ReadToEndAsync().WaitAsync(ClientProcess.Patience);
            Assert.Equal("""{"ended":"AbortError","after":200}""", output.Trim());
        }
        finally
        {
            if (!node.HasExited)
                node.Kill();
        }
    }

    private static string Script(string name) => Path.Combine(Repository.Clients, name);

    private sealed record Answer(int Status, Dictionary<string, string> Headers, long Length, string Sha256, string Next);
}
