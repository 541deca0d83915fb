// No sleeping, no pool hops, no locks, no clock but the one handed in; each ban seen failing below.

namespace Tidy.Tests;

public sealed class BannedCallsTests
{
    [Fact]
    public void The_tree_does_without_the_banned_calls() => Finding.None(Tree.CSharp.SelectMany(BannedCalls.Check));

    [Fact]
    public void Each_allowance_is_needed() => Finding.None(BannedCalls.Stale(BannedCalls.Allowances, Tree.CSharp));

    [Fact]
    public void Each_allowance_names_a_ban_and_gives_its_reason() =>
        Assert.All(BannedCalls.Allowances, allowed =>
        {
            Assert.Contains(BannedCalls.Bans, ban => ban.Name == allowed.Ban);
            Assert.True(allowed.Reason.Length > 20, $"{allowed.Path}: say why {allowed.Ban} is right there.");
        });

    [Theory]
    [InlineData("Thread.Sleep(1);")]
    [InlineData("await Task.Delay(1);")]
    [InlineData("var now = DateTime.UtcNow;")]
    [InlineData("var now = DateTimeOffset.UtcNow;")]
    [InlineData("Console.WriteLine();")]
    [InlineData("System.Console.Error.Write(1);")]
    [InlineData("lock (_gate)")]
    [InlineData("private async void Run()")]
    [InlineData("_ = Task.Run(() => 1);")]
    [InlineData("_ = Task.Run<int>(F);")]
    [InlineData("return task.Result;")]
    [InlineData("return Read().Result;")]
    [InlineData("task.Wait();")]
    [InlineData("_ready.Wait(100);")]
    [InlineData("task.GetAwaiter().GetResult();")]
    public void A_banned_call_of_src_is_found(string code)
    {
        var finding = Assert.Single(BannedCalls.Check(new SourceFile("src/Asgi.Server.Loops/A.cs", "// head\n" + code)));

        Assert.Equal(2, finding.Line);
        Assert.Empty(BannedCalls.Check(new SourceFile("src/Asgi.Server.Sample/A.cs", code)));
    }

    [Theory]
    [InlineData("// Thread.Sleep(1), lock (x)")]
    [InlineData("throw new InvalidOperationException(\"Console.WriteLine()\");")]
    [InlineData("block (x);")]
    [InlineData("IResult Result => _result;")]
    [InlineData("return context.Result(1);")]
    [InlineData("scope.Result = 3;")]
    [InlineData("if (task.IsCompletedSuccessfully)\n    return task.Result;")]
    [InlineData("private void OnCompleted()\n{\n    _task.GetAwaiter().GetResult();")]
    [InlineData("await Task.Delay(Timeout.InfiniteTimeSpan, stop);")]
    [InlineData("_myConsole.Write();")]
    [InlineData("await gate.WaitAsync();")]
    public void What_only_looks_like_it_is_let_be(string code) =>
        Assert.Empty(BannedCalls.Check(new SourceFile("src/Asgi.Server.Loops/A.cs", code)));

    [Fact]
    public void A_result_far_from_where_completion_was_seen_is_found()
    {
        string Code(int linesBetween) => "if (task.IsCompleted)\n" + new string('\n', linesBetween) + "return task.Result;";

        Assert.Empty(BannedCalls.Check(new SourceFile("src/Asgi.Server.Loops/A.cs", Code(7))));
        Assert.Single(BannedCalls.Check(new SourceFile("src/Asgi.Server.Loops/A.cs", Code(8))));
    }

    [Fact]
    public void A_protocol_has_no_task_so_its_results_block_nobody() =>
        Assert.Empty(BannedCalls.Check(new SourceFile("src/Asgi.Server.Protocols/Http1/A.cs", "return output.Result;")));

    [Theory]
    [InlineData("Thread.Sleep(1);")]
    [InlineData("await Task.Delay(1);")]
    [InlineData("var now = DateTime.Now;")]
    [InlineData("var now = Environment.TickCount64;")]
    [InlineData("var watch = Stopwatch.StartNew();")]
    public void A_banned_call_of_tests_is_found(string code) =>
        Assert.Single(BannedCalls.Check(new SourceFile("tests/Asgi.Server.Tests/A.cs", code)));

    [Theory]
    [InlineData("lock (_gate)")]
    [InlineData("Console.WriteLine();")]
    [InlineData("return task.Result;")]
    public void What_only_src_does_without_tests_may_use(string code) =>
        Assert.Empty(BannedCalls.Check(new SourceFile("tests/Asgi.Server.Tests/A.cs", code)));

    [Fact]
    public void An_allowance_is_stale_when_its_file_no_longer_uses_the_call()
    {
        Allowance[] allowances = [new("src/Asgi.Server/A.cs", "lock", "the reason")];

        Assert.Empty(BannedCalls.Stale(allowances, [new SourceFile("src/Asgi.Server/A.cs", "lock (x)")]));
        Assert.Single(BannedCalls.Stale(allowances, [new SourceFile("src/Asgi.Server/A.cs", "post(x);")]));
    }
}
