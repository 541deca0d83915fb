// Each benchmark does what it says, with each of its parameters: a benchmark that has rotted measures nothing, and fast.

using BenchmarkDotNet.Attributes;
using Xunit.Sdk;

namespace Asgi.Server.Micro.Tests;

public sealed class BenchmarkTests
{
    private static readonly Dictionary<string, BenchmarkCase> Cases =
        BenchmarkCase.In(typeof(YieldsAttribute).Assembly.GetTypes()).ToDictionary(benchmark => benchmark.Name);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_benchmark_yields_what_it_says(string name) => Cases[name].Run();

    /// <summary>The runner derives from them, and would only say that there is nothing to run.</summary>
    [Fact]
    public void Each_class_of_benchmarks_can_be_run()
    {
        var classes = typeof(YieldsAttribute).Assembly.GetTypes()
            .Where(type => type.GetMethods().Any(method => method.IsDefined(typeof(BenchmarkAttribute), inherit: false)));

        Assert.All(classes, type => Assert.True(type.IsPublic && !type.IsSealed && type.IsDefined(typeof(MemoryDiagnoserAttribute), true)));
    }

    [Fact]
    public void Parameters_and_arguments_are_combined() => Assert.Equal(
        [
            "Sample.Sum(A=1, B=x, 5)", "Sample.Sum(A=1, B=x, 6)", "Sample.Sum(A=1, B=y, 5)", "Sample.Sum(A=1, B=y, 6)",
            "Sample.Sum(A=2, B=x, 5)", "Sample.Sum(A=2, B=x, 6)", "Sample.Sum(A=2, B=y, 5)", "Sample.Sum(A=2, B=y, 6)",
        ],
        BenchmarkCase.In([typeof(Sample)])
            .Select(benchmark => benchmark.Name)
            .Where(name => name.Contains("Sum", StringComparison.Ordinal)));

    [Theory]
    [InlineData("Sample.Wrong(A=1, B=x)")] // returns what it does not say
    [InlineData("Sample.Rotting(A=1, B=x)")] // the first time it is right
    [InlineData("Sample.Silent(A=1, B=x)")] // does not say what it yields
    public void A_benchmark_that_does_something_else_is_found(string name) =>
        Assert.IsAssignableFrom<XunitException>(Record.Exception(() => Sample(name).Run()));

    [Theory]
    [InlineData("Sample.Sum(A=1, B=x, 5)")]
    [InlineData("Sample.Sum(A=2, B=y, 6)")]
    public void A_benchmark_is_set_up_and_given_its_parameters(string name) => Assert.Null(Record.Exception(() => Sample(name).Run()));

    private static BenchmarkCase Sample(string name) => BenchmarkCase.In([typeof(Sample)]).Single(benchmark => benchmark.Name == name);
}

public class Sample
{
    private int _setUp;
    private int _calls;

    [Params(1, 2)]
    public int A { get; set; }

    [Params("x", "y")]
    public string B { get; set; } = "";

    public long Expected => A + 100;

    [GlobalSetup]
    public void SetUp() => _setUp = 100;

    [Benchmark, Arguments(5), Arguments(6), Yields(nameof(Expected))]
    public int Sum(int c) => c is 5 or 6 && B is "x" or "y" ? _setUp + A : -1;

    [Benchmark, Yields(7)]
    public int Wrong() => 8;

    [Benchmark, Yields(1)]
    public int Rotting() => ++_calls;

    [Benchmark]
    public int Silent() => 1;
}
