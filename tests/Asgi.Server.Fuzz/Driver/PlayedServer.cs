// The server of a play, in every version of HTTP: connections, driver and ASP.NET's application on the simulated loop, the gates at which
// calls wait, and what must hold of it once all clients have gone.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Fuzz.Driver;

internal sealed class PlayedServer : IDisposable
{
    private const string CallsEnd = "Every call that began ends once its client has gone and nothing it waits for is missing.";
    private const string NothingLeft = "When all clients have gone, no connection, block or timer is left, and no bug is in the log.";
    private const string StopEnds = "A stop ends with the last connection.";

    private readonly ScriptedApplication _application = new();
    private readonly SimulatedServer _server;
    private Task? _stop;
    private int _released;

    public PlayedServer(int seed, ConnectionLimits limits, NetworkConditions conditions, bool isHttp2 = false) =>
        _server = HostedDelegate.Serve(_application.Run, seed, limits, conditions, isHttp2: isHttp2);

    public List<Call> Calls => _application.Calls;

    public SimulatedClient Connect() => _server.Connect();

    public void Tick(int count)
    {
        for (int i = 0; i < count; i++)
            _server.Tick();
    }

    public void Run() => _server.Run();

    public void Advance(long milliseconds) => _server.Advance(milliseconds);

    public void ShutDown() => _stop ??= _server.ShutDown();

    /// <summary>Lets the call that has waited longest at a gate go on, if one waits.</summary>
    public bool Release(bool isOffLoop)
    {
        if (!_application.TryTakeGate(out TaskCompletionSource? gate))
            return false;
        if (isOffLoop)
            SimulatedServer.OffLoop(gate!.SetResult);
        else
            SimulatedServer.OnLoop(gate!.SetResult);
        return true;
    }

    /// <summary>The same, on the loop and off it by turns.</summary>
    public bool ReleaseNext() => Release(isOffLoop: _released++ % 2 == 0);

    public void CheckRest()
    {
        InvariantException.Demand(Calls.TrueForAll(call => call.End != CallEnd.None), CallsEnd, () => string.Join('\n', Calls));
        InvariantException.Demand(
            _server.ConnectionCount == 0, NothingLeft, () => $"{_server.ConnectionCount} connections\n{string.Join('\n', Calls)}");
        InvariantException.Demand(_stop is null or { IsCompletedSuccessfully: true }, StopEnds, () => "it goes on");
        try
        {
            _server.DemandNothingLeft();
        }
        catch (Xunit.Sdk.XunitException left)
        {
            throw new InvariantException(NothingLeft, left.Message);
        }
        LogEntry? bug = _server.Log.Entries.FirstOrDefault(entry => entry.Level == LogLevel.Critical || entry.Id.Id == 101);
        InvariantException.Demand(bug is null, NothingLeft, () => $"{bug!.Message} {bug.Exception}");
    }

    public void Dispose() => _server.Dispose();
}
