// Deadlines: never early, at most a step late, whatever is set, moved and removed in between.

using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

public sealed class TimerWheelTests
{
    private const int Step = TimerWheel.StepMilliseconds;
    private const long Start = 1_000_003;
    private const long Turn = 512 * Step;

    private readonly TimerWheel _wheel = new(Start);
    private readonly List<long> _fired = [];
    private long _now = Start;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Step - 1)]
    [InlineData(Step)]
    [InlineData(Step + 1)]
    [InlineData(Turn - Step)]
    [InlineData(Turn)]
    [InlineData(Turn + 1)]
    [InlineData(Turn * 3 + 17)]
    public void A_timer_fires_once_not_early_and_at_most_a_step_late(long delay)
    {
        var timer = NewTimer();
        _wheel.Set(timer, Start + delay);
        Assert.True(timer.IsArmed);

        AdvanceByMilliseconds(delay + (2 * Step));

        Assert.InRange(Assert.Single(_fired), Start + delay, Start + delay + Step);
        Assert.False(timer.IsArmed);
        Assert.Equal(-1, _wheel.MillisecondsToNext(_now));
    }

    [Fact]
    public void A_timer_whose_time_has_passed_fires_with_the_next_step()
    {
        _wheel.Set(NewTimer(), Start - 10_000);

        AdvanceByMilliseconds(Step);

        Assert.Single(_fired);
    }

    [Fact]
    public void A_timer_may_be_moved_later_again_and_again()
    {
        var timer = NewTimer();
        for (var i = 0; i < 1000; i++)
        {
            _wheel.Set(timer, _now + 1000);
            AdvanceByMilliseconds(100);
        }

        Assert.Empty(_fired);
        AdvanceByMilliseconds(900 + Step);
        Assert.Single(_fired);
    }

    [Fact]
    public void A_timer_may_be_moved_earlier()
    {
        var timer = NewTimer();
        _wheel.Set(timer, Start + 100_000);
        _wheel.Set(timer, Start + 1000);

        AdvanceByMilliseconds(1000 + Step);

        Assert.InRange(Assert.Single(_fired), Start + 1000, Start + 1000 + Step);
    }

    [Fact]
    public void A_cancelled_timer_does_not_fire_and_may_be_set_again()
    {
        var timer = NewTimer();
        _wheel.Set(timer, Start + 1000);
        TimerWheel.Cancel(timer);
        Assert.False(timer.IsArmed);
        AdvanceByMilliseconds(2000);
        Assert.Empty(_fired);

        _wheel.Set(timer, _now + 1000);
        AdvanceByMilliseconds(1000 + Step);
        Assert.Single(_fired);
    }

    [Fact]
    public void A_cancelled_timer_set_again_before_its_slot_comes_up_fires_at_the_new_time()
    {
        var timer = NewTimer();
        _wheel.Set(timer, Start + 1000);
        TimerWheel.Cancel(timer);
        _wheel.Set(timer, Start + 500);

        AdvanceByMilliseconds(2000);

        Assert.InRange(Assert.Single(_fired), Start + 500, Start + 500 + Step);
    }

    [Fact]
    public void A_removed_timer_is_forgotten()
    {
        var timer = NewTimer();
        _wheel.Set(timer, Start + 1000);

        _wheel.Remove(timer);
        _wheel.Remove(timer);

        Assert.Equal(-1, _wheel.MillisecondsToNext(_now));
        AdvanceByMilliseconds(2000);
        Assert.Empty(_fired);
    }

    [Fact]
    public void A_timer_may_remove_and_set_others_of_its_slot_when_it_fires()
    {
        var timers = new TestTimer[4];
        for (var i = 0; i < timers.Length; i++)
        {
            timers[i] = new TestTimer(now =>
            {
                _fired.Add(now);
                foreach (var other in timers)
                {
                    _wheel.Remove(other);
                }

                _wheel.Set(timers[0], now + 1000);
            });
            _wheel.Set(timers[i], Start + 100);
        }

        AdvanceByMilliseconds(100 + Step);
        Assert.Single(_fired);

        AdvanceByMilliseconds(1000 + Step);
        Assert.Equal(2, _fired.Count);
    }

    [Fact]
    public void A_timer_may_set_itself_again_when_it_fires()
    {
        TestTimer? timer = null;
        timer = new TestTimer(now =>
        {
            _fired.Add(now);
            _wheel.Set(timer!, now);
        });
        _wheel.Set(timer, Start);

        AdvanceByMilliseconds(Step);
        Assert.Single(_fired);
        AdvanceByMilliseconds(Step);
        Assert.Equal(2, _fired.Count);
    }

    [Theory]
    [InlineData(Turn - Step)]
    [InlineData(Turn)]
    [InlineData(Turn + Step)]
    [InlineData(Turn * 100)]
    public void After_a_long_pause_everything_due_fires_and_nothing_else(long pause)
    {
        var due = Enumerable.Range(0, 100).Select(i => Start + (i * pause / 100)).ToArray();
        Array.ForEach(due, time => _wheel.Set(NewTimer(), time));
        var later = NewTimer();
        _wheel.Set(later, Start + pause + 1000);

        _now = Start + pause;
        _wheel.Advance(_now);
        AdvanceByMilliseconds(Step);
        Assert.Equal(due.Length, _fired.Count);
        Assert.True(later.IsArmed);

        AdvanceByMilliseconds(1000);
        Assert.Equal(due.Length + 1, _fired.Count);
    }

    [Fact]
    public void A_pause_without_timers_costs_nothing_later()
    {
        _now += Turn * 1_000_000;
        _wheel.Advance(_now);
        _wheel.Set(NewTimer(), _now + 100);

        Assert.InRange(_wheel.MillisecondsToNext(_now), 100, 100 + Step);
        AdvanceByMilliseconds(100 + Step);
        Assert.Single(_fired);
    }

    [Fact]
    public void Sleeping_until_the_next_slot_misses_nothing()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            _wheel.Set(NewTimer(), Start + random.Next((int)Turn * 3));
        }

        for (var sleep = _wheel.MillisecondsToNext(_now); sleep >= 0; sleep = _wheel.MillisecondsToNext(_now))
        {
            Assert.InRange(sleep, 1, Turn);
            _now += sleep;
            _wheel.Advance(_now);
        }

        Assert.Equal(1000, _fired.Count);
    }

    [Fact]
    public void Random_operations_agree_with_a_naive_model() => Seeds.Run(5, seed =>
    {
        var random = new Random(seed);
        var now = Start + seed;
        var wheel = new TimerWheel(now);
        var model = new Dictionary<TestTimer, long>();
        TestTimer[] timers = new TestTimer[50];
        for (var i = 0; i < timers.Length; i++)
        {
            var number = i;
            timers[i] = new TestTimer(at =>
            {
                Assert.InRange(at, model[timers[number]], long.MaxValue);
                model.Remove(timers[number]);
            });
        }

        for (var operation = 0; operation < 10_000; operation++)
        {
            var timer = timers[random.Next(timers.Length)];
            switch (random.Next(8))
            {
                case 0:
                    TimerWheel.Cancel(timer);
                    model.Remove(timer);
                    break;
                case 1:
                    wheel.Remove(timer);
                    TimerWheel.Cancel(timer);
                    model.Remove(timer);
                    break;
                case 2 or 3:
                    now += random.Next(10) == 0 ? random.Next((int)Turn * 2) : random.Next(Step * 3);
                    wheel.Advance(now);
                    Assert.DoesNotContain(model.Values, due => due <= now - Step);
                    break;
                default:
                    model[timer] = now + random.Next(random.Next(4) == 0 ? (int)Turn * 3 : 2000);
                    wheel.Set(timer, model[timer]);
                    break;
            }

            Assert.Equal(model.ContainsKey(timer), timer.IsArmed);
            Assert.True(model.Count == 0 || wheel.MillisecondsToNext(now) >= 0);
        }
    });

    private TestTimer NewTimer() => new(_fired.Add);

    private void AdvanceByMilliseconds(long milliseconds)
    {
        for (var end = _now + milliseconds; _now < end;)
        {
            _now = Math.Min(end, _now + 7);
            _wheel.Advance(_now);
        }
    }
}
