// wrk against the sample, for its correctness under load: nothing is refused, broken or mixed up. Speed is measured in perf.

namespace Asgi.Server.Clients.Tests;

public sealed class LoadTests(SampleProcess sample) : IClassFixture<SampleProcess>, IDisposable
{
    private const int PipelineDepth = 16;

    // wrk sends what one call of request() returns; responses it counts for itself.
    private static readonly string Pipelining = $$"""
        init = function(args)
          local one = wrk.format("GET", "/plaintext")
          all = string.rep(one, {{PipelineDepth}})
        end
        request = function() return all end
        """;

    private readonly string _script = Path.Combine(Path.GetTempPath(), $"asgi-{Guid.NewGuid():N}.lua");

    public void Dispose() => File.Delete(_script);

    [ClientTheory("wrk")]
    [InlineData("/plaintext")]
    [InlineData("/json")]
    [InlineData("/async")]
    [InlineData("/numbers.txt")]
    public Task Keep_alive(string path) => AssertCleanAsync(path);

    [ClientFact("wrk")]
    public Task A_connection_for_each_request() => AssertCleanAsync("/plaintext", "-H", "Connection: close");

    [ClientFact("wrk")]
    public async Task Pipelining_16_deep()
    {
        await File.WriteAllTextAsync(_script, Pipelining);

        await AssertCleanAsync("/plaintext", "-s", _script);
    }

    private async Task AssertCleanAsync(string path, params string[] arguments)
    {
        var url = new Uri(sample.Address, path).AbsoluteUri;
        var output = (await ClientProcess.RunAsync("wrk", ["-t", "2", "-c", "64", "-d", "2s", .. arguments, url])).Succeeded;

        Assert.False(output.Contains("Socket errors", StringComparison.Ordinal), output);
        Assert.False(output.Contains("Non-2xx", StringComparison.Ordinal), output);
        Assert.Matches("[1-9][0-9]* requests in", output);
        using var client = new HttpClient { BaseAddress = sample.Address };
        Assert.Equal("Hello, World!", await client.GetStringAsync(new Uri("/plaintext", UriKind.Relative)));
    }
}
