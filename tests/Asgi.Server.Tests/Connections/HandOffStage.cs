// Threads on a stage: one moves at a time, and a seed says which. Application code that calls Point may lose its loop there to another
// thread and is stopped in the middle, while the loop goes on without it. So every interleaving of a hand-off with what else happens can be
// played, and played again.

using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

internal sealed class HandOffStage(Random random, double handOffChance) : ISpares, IDisposable
{
    private const int StepsMax = 500_000;

    [ThreadStatic]
    private static Actor? s_actor;

    private readonly List<Actor> _stopped = [];
    private readonly SemaphoreSlim _moved = new(0);
    private SimulatedServer _server = null!;
    private Actor? _owner;
    private Exception? _failure;

    public int HandOffCount { get; private set; }

    /// <summary>Calls made on threads beside the loop, because their route was learned.</summary>
    public int SpareCallCount { get; private set; }

    /// <summary>Whether the calling thread has lost its loop, or never had it.</summary>
    public static bool IsAway => !Loop.Current?.IsCurrent ?? true;

    public ILoopSuccessor TryReserve() => new Successor(this);

    public bool TryRun(IThreadPoolWorkItem call, bool mayWait)
    {
        SpareCallCount++;
        _stopped.Add(new Actor(this, call.Execute));
        return true;
    }

    /// <summary>Application code: the loop may be handed off here, and everybody else may move.</summary>
    public void Point()
    {
        var actor = s_actor ?? throw new InvalidOperationException("This thread is not on the stage.");
        if (actor == _owner)
        {
            if (random.NextDouble() >= handOffChance || !_server.Loop.TryHandOff(_server.Loop.Hold!, HandOffReason.Waits))
            {
                return;
            }

            HandOffCount++;
        }

        _stopped.Add(actor);
        actor.Stop();
    }

    /// <summary>Plays until nothing is left to do; <paramref name="between"/> is called now and then, on the test's thread.</summary>
    public void Play(SimulatedServer server, Action between)
    {
        _server = server;
        _owner = new Actor(this, OwnLoop);
        for (var step = 0; step < StepsMax; step++)
        {
            between();
            if (_stopped.Count > 0 && (server.Backend.IsIdle || random.Next(3) == 0))
            {
                var next = _stopped[random.Next(_stopped.Count)];
                _stopped.Remove(next);
                Move(next);
                continue;
            }

            Move(_owner);
            if (server.Backend.IsIdle && _stopped.Count == 0)
            {
                return;
            }
        }

        Assert.Fail($"The stage has not come to rest after {StepsMax} steps.");
    }

    public void Dispose() => _moved.Dispose();

    private void OwnLoop()
    {
        while (_server.Loop.Tick())
        {
            s_actor!.Stop();
        }
    }

    private void Move(Actor actor)
    {
        actor.Go();
        _moved.Wait();
        if (_failure is { } failure)
        {
            throw new InvalidOperationException("A thread on the stage has failed.", failure);
        }
    }

    private sealed class Successor(HandOffStage stage) : ILoopSuccessor
    {
        public void TakeOver(Loop loop) => stage._owner = new Actor(stage, stage.OwnLoop);

        public void Release()
        {
        }
    }

    private sealed class Actor : IDisposable
    {
        private readonly HandOffStage _stage;
        private readonly SemaphoreSlim _go = new(0);

        public Actor(HandOffStage stage, Action play)
        {
            _stage = stage;
            new Thread(() => Run(play)) { IsBackground = true }.UnsafeStart();
        }

        public void Go() => _go.Release();

        public void Stop()
        {
            _stage._moved.Release();
            _go.Wait();
        }

        public void Dispose() => _go.Dispose();

        private void Run(Action play)
        {
            s_actor = this;
            _go.Wait();
            try
            {
                play();
            }
            catch (Exception exception)
            {
                _stage._failure = exception;
            }

            Dispose();
            _stage._moved.Release();
        }
    }
}
