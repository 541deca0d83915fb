// The sample, published with its own runtime and trimmed: not a warning, and what is left still works.

using System.Net.Http.Json;
using System.Text.Json;

namespace Asgi.Server.Apps.Tests;

[Collection(nameof(Builds))]
public sealed class TrimmedTests
{
    [SelfContainedFact]
    public async Task The_sample_is_trimmed_without_a_warning_and_answers()
    {
        using var folder = new TemporaryFolder();

        var said = await Dotnet.RunAsync(
            Repository.Root, "publish", "src/Asgi.Server.Sample", "-c", "Release", "-r", Repository.AppRuntime, "--self-contained",
            "-p:PublishTrimmed=true", "-p:TrimmerSingleWarn=false", "--artifacts-path", folder["artifacts"], "-o", folder["published"]);

        Assert.DoesNotContain("warning", said, StringComparison.OrdinalIgnoreCase);
        Assert.False(File.Exists(folder["published/System.Private.Xml.dll"]), "Nothing was trimmed.");
        await using var sample = await AppProcess.StartAsync(folder["published/Asgi.Server.Sample"], folder["published"]);
        using var client = sample.CreateClient();
        Assert.Equal("""{"message":"Hello, World!"}""", await client.GetStringAsync(new Uri("/json", UriKind.Relative)));
        Assert.StartsWith("line 001", await client.GetStringAsync(new Uri("/numbers.txt", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains("id: 2", await client.GetStringAsync(new Uri("/events?count=2", UriKind.Relative)), StringComparison.Ordinal);
        using var upload = await client.PostAsync(new Uri("/upload", UriKind.Relative), new ByteArrayContent(new byte[100_000]));
        Assert.Equal(100_000, (await upload.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("length").GetInt64());
    }
}
