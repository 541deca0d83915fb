// What hand-offs teach: which routes block, for how long that is believed, and what counts as one route.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;

namespace Asgi.Server.Tests.Connections;

public sealed class BlockingRoutesTests
{
    private const int BlockingMilliseconds = 10;
    private const ulong Key = 42;

    private readonly BlockingRoutes _routes = new(BlockingMilliseconds);
    private readonly ToldRoutes _told = new();

    [Fact]
    public void A_route_is_learned_when_it_has_blocked_twice_within_a_minute()
    {
        Assert.False(_routes.Learn(Key, HandOffReason.Waits, 1000));
        Assert.Null(_routes.Find(Key, 1000));
        Assert.Equal(0, _routes.Count);

        Assert.True(_routes.Learn(Key, HandOffReason.Waits, 1000 + BlockingRoutes.ForgetMilliseconds - 1));
        Assert.NotNull(_routes.Find(Key, 1000 + BlockingRoutes.ForgetMilliseconds));
        Assert.Equal(1, _routes.Count);
        Assert.False(_routes.Learn(Key, HandOffReason.Waits, 1000 + BlockingRoutes.ForgetMilliseconds));
    }

    [Fact]
    public void Twice_in_more_than_a_minute_is_once_and_once_again()
    {
        Assert.False(_routes.Learn(Key, HandOffReason.Waits, 1000));
        Assert.False(_routes.Learn(Key, HandOffReason.Waits, 1000 + BlockingRoutes.ForgetMilliseconds));
        Assert.True(_routes.Learn(Key, HandOffReason.Waits, 1000 + BlockingRoutes.ForgetMilliseconds + 1));
    }

    [Fact]
    public void A_thread_that_runs_is_learned_of_only_when_it_has_held_up_loops_eight_times_within_a_minute()
    {
        for (var time = 1; time < BlockingRoutes.EvidenceMin; time++)
        {
            Assert.False(_routes.Learn(Key, HandOffReason.Runs, 1000 + time));
        }

        Assert.Null(_routes.Find(Key, 2000));
        Assert.True(_routes.Learn(Key, HandOffReason.Runs, 1000 + BlockingRoutes.ForgetMilliseconds));
        Assert.Equal(8, BlockingRoutes.EvidenceMin);
    }

    [Fact]
    public void A_handler_that_says_it_blocks_is_believed_at_once() => Assert.True(_routes.Learn(Key, HandOffReason.Surrendered, 1000));

    [Fact]
    public void A_route_is_learned_of_eight_waits_within_a_second_though_none_was_handed_off()
    {
        for (var wait = 1; wait < BlockingRoutes.WaitsMin; wait++)
        {
            Assert.False(_routes.LearnWait(Key, 1000));
            Assert.False(_routes.LearnWait(Key + 1, 1000));
        }

        Assert.Null(_routes.Find(Key, 1000));
        Assert.True(_routes.LearnWait(Key, 1000 + BlockingRoutes.WaitsWindowMilliseconds - 1));
        Assert.NotNull(_routes.Find(Key, 2000));
        Assert.Null(_routes.Find(Key + 1, 2000));
        Assert.False(_routes.LearnWait(Key, 2000));
        Assert.Equal(8, BlockingRoutes.WaitsMin);
    }

    [Fact]
    public void Eight_waits_in_more_than_a_second_are_none_and_one()
    {
        for (var wait = 1; wait < BlockingRoutes.WaitsMin; wait++)
        {
            Assert.False(_routes.LearnWait(Key, 1000));
        }

        Assert.False(_routes.LearnWait(Key, 1000 + BlockingRoutes.WaitsWindowMilliseconds));
        Assert.Null(_routes.Find(Key, 2000));
    }

    [Fact]
    public void A_route_learned_of_short_waits_is_kept_by_runs_as_short()
    {
        for (var wait = 1; wait <= BlockingRoutes.WaitsMin; wait++)
        {
            _routes.LearnWait(Key, 0);
        }

        var route = _routes.Find(Key, 1)!;
        var period = Watchdog.PlanFor(BlockingMilliseconds).Period;
        for (var run = 0; run < 3 * BlockingRoutes.ShortRunsMax; run++)
        {
            _routes.Ran(route, 100, 100 + period);
        }

        Assert.NotNull(_routes.Find(Key, 100));
        for (var run = 0; run < BlockingRoutes.ShortRunsMax; run++)
        {
            _routes.Ran(route, 100, 100 + period - 1);
        }

        Assert.Null(_routes.Find(Key, 100));
    }

    [Fact]
    public void A_route_that_runs_short_again_is_forgotten()
    {
        _routes.Learn(Key, HandOffReason.Surrendered, 0);
        var route = _routes.Find(Key, 1)!;
        for (var run = 1; run < BlockingRoutes.ShortRunsMax; run++)
        {
            _routes.Ran(route, 100, 100 + BlockingMilliseconds - 1);
            Assert.NotNull(_routes.Find(Key, 100));
        }

        _routes.Ran(route, 100, 100 + BlockingMilliseconds - 1);
        Assert.Null(_routes.Find(Key, 100));
        Assert.Equal(0, _routes.Count);
    }

    [Fact]
    public void One_long_run_among_the_short_keeps_it()
    {
        _routes.Learn(Key, HandOffReason.Surrendered, 0);
        var route = _routes.Find(Key, 1)!;
        for (var run = 0; run < 3 * BlockingRoutes.ShortRunsMax; run++)
        {
            _routes.Ran(route, 100, run % 100 == 0 ? 100 + BlockingMilliseconds : 100);
        }

        Assert.NotNull(_routes.Find(Key, 100));
    }

    [Fact]
    public void What_goes_on_after_the_start_of_a_request_is_no_run_of_its_own()
    {
        _routes.Learn(Key, HandOffReason.Surrendered, 0);
        var route = _routes.Find(Key, 1)!;
        for (var flush = 0; flush < 3 * BlockingRoutes.ShortRunsMax; flush++)
        {
            _routes.Ran(route, 100, 100, isStart: false);
        }

        Assert.NotNull(_routes.Find(Key, 100));
        _routes.Ran(route, 100_000, 100_000 + BlockingMilliseconds, isStart: false);
        Assert.NotNull(_routes.Find(Key, 100_000));
    }

    [Fact]
    public void A_route_is_told_of_once_per_episode()
    {
        const int Minute = ToldRoutes.EpisodeMilliseconds;
        Assert.True(_told.TryTell("a route", 0));
        Assert.False(_told.TryTell("a route", Minute - 1));
        Assert.False(_told.TryTell("a route", Minute - 1 + Minute - 1));
        Assert.True(_told.TryTell("a route", 3 * Minute));
    }

    [Fact]
    public void Of_so_many_routes_is_told_at_most()
    {
        for (var number = 0; number < ToldRoutes.CountMax; number++)
        {
            Assert.True(_told.TryTell($"{number}", 0));
        }

        Assert.False(_told.TryTell("one more", ToldRoutes.EpisodeMilliseconds - 1));
        Assert.True(_told.TryTell("one more", ToldRoutes.EpisodeMilliseconds));
    }

    [Fact]
    public void A_route_that_has_not_blocked_for_a_minute_is_forgotten()
    {
        _routes.Learn(Key, HandOffReason.Surrendered, 5000);
        Assert.NotNull(_routes.Find(Key, 5000 + BlockingRoutes.ForgetMilliseconds - 1));
        Assert.Null(_routes.Find(Key, 5000 + BlockingRoutes.ForgetMilliseconds));
        Assert.Equal(0, _routes.Count);
    }

    [Fact]
    public void There_are_never_more_than_the_limit()
    {
        for (ulong key = 0; key < 3 * BlockingRoutes.CountMax; key++)
        {
            _routes.Learn(key, HandOffReason.Surrendered, 0);
            Assert.InRange(_routes.Count, 1, BlockingRoutes.CountMax);
        }
    }

    [Theory]
    [InlineData("/orders/1", "/orders/23", true)]
    [InlineData("/orders/1/lines/7", "/orders/99/lines/8", true)]
    [InlineData("/files/3f2504e0-4f89", "/files/a1", true)]
    [InlineData("/orders/new", "/orders/old", false)]
    [InlineData("/orders/1", "/orders/1/lines", false)]
    [InlineData("/orders/1", "/orders", false)]
    [InlineData("/orders", "/orders/", false)]
    [InlineData("/a/b", "/ab", false)]
    [InlineData("", "/", false)]
    public void Paths_that_differ_in_segments_with_digits_are_one_route(string path, string other, bool isSame)
    {
        Assert.Equal(isSame, KeyOf("GET", path) == KeyOf("GET", other));
        Assert.NotEqual(KeyOf("GET", path), KeyOf("POST", path));
    }

    private static ulong KeyOf(string method, string path) => RouteKey.Of(Encoding.ASCII.GetBytes(method), Encoding.ASCII.GetBytes(path));
}
