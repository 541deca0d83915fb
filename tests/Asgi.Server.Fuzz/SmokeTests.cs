// A short run of each fuzzer with every build: the same cases each time, so that it fails for a change and not by chance.
// Long runs are made by hand; see Program.cs.

namespace Asgi.Server.Fuzz;

public class SmokeTests
{
    [Theory]
    [InlineData("head", 6000)]
    [InlineData("chunked", 3000)]
    [InlineData("driver", 300)]
    [InlineData("proxy", 20000)]
    [InlineData("hpack", 10000)]
    [InlineData("frames", 3000)]
    [InlineData("streams", 1000)]
    public void Every_invariant_holds(string name, int iterations)
    {
        const int Seed = 2026;
        Fuzzer fuzzer = Campaign.Fuzzers.Single(fuzzer => fuzzer.Name == name);
        for (int iteration = 0; iteration < iterations; iteration++)
            Assert.Null(Campaign.Try(fuzzer, Seed, iteration));
    }
}
