// Plays a script of HTTP/2 and checks what must hold of every play: what each client received on a stream is what the application noted
// of that call.

using System.Globalization;
using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Fuzz.Driver;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Fuzz.Streams;

internal sealed class StreamPlay : IDisposable
{
    // Longer than a client has after FIN, and than the rates' grace.
    private const int PatienceMilliseconds = 20_000;

    private readonly PlayedServer _server;
    private readonly ConnectionLimits _limits;
    private readonly SortedDictionary<int, StreamClient> _clients = [];
    private Intervention _by;

    private StreamPlay(int seed, ConnectionLimits limits, NetworkConditions conditions)
    {
        _server = new PlayedServer(seed, limits, conditions, isHttp2: true);
        _limits = limits;
        _by = limits.RequestsMax is null ? Intervention.None : Intervention.Stop;
    }

    /// <summary>What besides clients and applications may have ended a connection.</summary>
    public enum Intervention
    {
        None,

        /// <summary>It was asked to end, and serves what has come.</summary>
        Stop,

        /// <summary>Somebody's patience may have been over.</summary>
        Time,
    }

    public static void Run(StreamStep[] steps, int seed, ConnectionLimits limits, NetworkConditions conditions)
    {
        using var play = new StreamPlay(seed, limits, conditions);
        foreach (StreamStep step in steps)
        {
            play.Do(step);
            play.ReadAll();
        }
        play.GoOn();
        foreach (StreamClient client in play._clients.Values)
            new StreamVerdict(client, play.CallsOf(client), limits, play._by).CheckAtRest();
        play.LeaveAll();
        play._server.CheckRest();
        foreach (StreamClient client in play._clients.Values)
            new StreamVerdict(client, play.CallsOf(client), limits, play._by).CheckInTheEnd();
    }

    public void Dispose() => _server.Dispose();

    private Dictionary<int, Call> CallsOf(StreamClient client)
    {
        int port = ((IPEndPoint)client.Connection.LocalEndPoint).Port;
        return _server.Calls.Where(call => call.Port == port).ToDictionary(
            call => int.Parse(call.Trace[(call.Trace.IndexOf(':') + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
    }

    private void Do(StreamStep step)
    {
        switch (step.Kind)
        {
            case StreamStepKind.Open:
                Of(step).Open(step);
                break;
            case StreamStepKind.Feed:
                Of(step).Feed(step.Amount, step.Stream);
                break;
            case StreamStepKind.Cancel:
                Of(step).Cancel(step.Stream);
                break;
            case StreamStepKind.Credit:
                Of(step).Credit(step.Stream, step.Amount);
                break;
            case StreamStepKind.Raw:
                Of(step).Raw(step);
                break;
            case StreamStepKind.Finish:
                Of(step).Finish();
                break;
            case StreamStepKind.Reset:
                Of(step).Reset();
                break;
            case StreamStepKind.Window:
                Of(step).Connection.Window = step.Amount;
                break;
            case StreamStepKind.Tick:
                _server.Tick((int)step.Amount);
                break;
            case StreamStepKind.Run:
                _server.Run();
                break;
            case StreamStepKind.Advance:
                _by = Intervention.Time;
                _server.Advance(step.Amount);
                break;
            case StreamStepKind.Release or StreamStepKind.ReleaseOffLoop:
                _server.Release(step.Kind == StreamStepKind.ReleaseOffLoop);
                break;
            case StreamStepKind.Stop:
                _by = _by == Intervention.Time ? _by : Intervention.Stop;
                _server.ShutDown();
                break;
        }
    }

    private StreamClient Of(StreamStep step)
    {
        if (!_clients.TryGetValue(step.Client, out StreamClient? client))
            _clients.Add(step.Client, client = new StreamClient(_server.Connect(), _limits.Http2));
        return client;
    }

    private void ReadAll()
    {
        foreach (StreamClient client in _clients.Values)
            client.Read();
    }

    // Everything goes on that can: windows are open, content is sent, gates are released.
    private void GoOn()
    {
        foreach (StreamClient client in _clients.Values)
            client.OpenWindows();
        bool goesOn;
        do
        {
            _server.Run();
            ReadAll();
            goesOn = false;
            foreach (StreamClient client in _clients.Values)
                goesOn |= client.OpenAll();
            goesOn |= _server.ReleaseNext();
        }
        while (goesOn);
        _server.Run();
        ReadAll();
    }

    // Then the clients leave: well-behaved ones with FIN, the others after a while with RST.
    private void LeaveAll()
    {
        foreach (StreamClient client in _clients.Values)
            client.Connection.ShutdownSend();
        ReleaseAll();
        _server.Advance(PatienceMilliseconds);
        ReleaseAll();
        foreach (StreamClient client in _clients.Values.Where(client => !client.IsCalm || _by == Intervention.Time))
            client.Connection.Reset();
        ReleaseAll();
        ReadAll();
    }

    private void ReleaseAll()
    {
        do
        {
            _server.Run();
            ReadAll();
        }
        while (_server.ReleaseNext());
    }
}
