// Plays a script of HTTP/1 and checks what must hold of every play. What a client received is compared with what the application noted,
// call by call.

using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Fuzz.Driver;

internal sealed class Play : IDisposable
{
    private readonly PlayedServer _server;
    private readonly Dictionary<int, PlayedClient> _clients = [];

    private Play(int seed, ConnectionLimits limits, NetworkConditions conditions) => _server = new PlayedServer(seed, limits, conditions);

    /// <summary>Whether anything but the clients themselves may have ended a connection.</summary>
    private bool HasIntervened { get; set; }

    public static void Run(Step[] steps, int seed, ConnectionLimits limits, NetworkConditions conditions)
    {
        using var play = new Play(seed, limits, conditions);
        foreach (Step step in steps)
            play.Do(step);
        play.LeaveAll();
        play._server.CheckRest();
        foreach (PlayedClient client in play._clients.Values)
            client.Check(play._server.Calls, play.HasIntervened);
    }

    public void Dispose() => _server.Dispose();

    private void Do(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Send:
                Of(step).Send(step);
                break;
            case StepKind.Finish:
                Of(step).Finish();
                break;
            case StepKind.Reset:
                Of(step).Reset();
                break;
            case StepKind.Window:
                Of(step).Connection.Window = step.Amount;
                break;
            case StepKind.Tick:
                _server.Tick((int)step.Amount);
                break;
            case StepKind.Run:
                _server.Run();
                break;
            case StepKind.Advance:
                HasIntervened = true;
                _server.Advance(step.Amount);
                break;
            case StepKind.Release or StepKind.ReleaseOffLoop:
                _server.Release(step.Kind == StepKind.ReleaseOffLoop);
                break;
            case StepKind.Stop:
                HasIntervened = true;
                _server.ShutDown();
                break;
        }
    }

    private PlayedClient Of(Step step)
    {
        if (!_clients.TryGetValue(step.Client, out PlayedClient? client))
            _clients.Add(step.Client, client = new PlayedClient(_server.Connect()));
        return client;
    }

    private void ReleaseAll()
    {
        do
        {
            _server.Run();
        }
        while (_server.ReleaseNext());
    }

    // Everything goes on that can, then the clients leave as well-behaved ones do.
    private void LeaveAll()
    {
        foreach (PlayedClient client in _clients.Values)
            client.Connection.Window = long.MaxValue;
        ReleaseAll();
        foreach (PlayedClient client in _clients.Values)
            client.Connection.ShutdownSend();
        ReleaseAll();
    }
}

/// <summary>A client of a play: what it did, and what it must therefore have received.</summary>
internal sealed class PlayedClient(SimulatedClient connection)
{
    private const string InOrder = "Responses come in the order of the requests, one for each call, and each has what its call wrote.";
    private const string NothingBehind = "Nothing follows a response that says close, is cut, or refuses.";
    private const string Refused = "What is refused before the application is called gets an empty response of its fault, and the end.";
    private const string NotLost = "A response is missing or cut only where the application, a reset or a deadline did it.";
    private const string NoReset = "A connection is reset only where an application, a deadline or a client that goes on sending did it.";
    private const string Calm = "A valid request on a calm connection is answered with 200, and the application read what was sent.";

    private static readonly int[] Faults = [400, 405, 408, 414, 431, 501, 505];

    private bool _isCalm = true;
    private bool _hasReset;
    private int _calmRequests;

    public SimulatedClient Connection { get; } = connection;

    private bool IsReset => _hasReset || Connection.End == ConnectionEnd.Reset;

    public void Send(Step step)
    {
        _isCalm &= step.CalmRequests > 0;
        _calmRequests += step.CalmRequests;
        Connection.Send(step.Bytes);
    }

    public void Finish()
    {
        _isCalm = false;
        Connection.ShutdownSend();
    }

    public void Reset()
    {
        _hasReset = true;
        _isCalm = false;
        Connection.Reset();
    }

    public void Check(IEnumerable<Call> allCalls, bool hasIntervened)
    {
        Call[] calls = [.. allCalls.Where(call => call.Port == ((IPEndPoint)Connection.LocalEndPoint).Port)];
        List<SeenResponse> seen = ResponseReader.Read(Connection.Received, [.. calls.Select(call => call.Method)], IsReset);
        string Told() => $"calls:\n{string.Join('\n', calls.AsEnumerable())}\nresponses:\n{string.Join('\n', seen)}\nend: {Connection.End}";

        for (int i = 0; i < seen.Count; i++)
        {
            bool isLast = i == seen.Count - 1;
            bool isRefusal = i == calls.Length;
            bool isRight = isRefusal
                ? seen[i].IsClose && seen[i].Content.Length == 0 && Faults.Contains(seen[i].Status)
                : i < calls.Length && Fits(calls[i], seen[i]);
            InvariantException.Demand(isRight, isRefusal ? Refused : InOrder, Told);
            InvariantException.Demand(isLast || (!seen[i].IsClose && seen[i].IsComplete), NothingBehind, Told);
            InvariantException.Demand(
                seen[i].IsComplete || IsReset || calls[i].IsShort || calls[i].IsAborted || calls[i].End == CallEnd.Thrown, NotLost, Told);
        }
        InvariantException.Demand(seen.Count >= calls.Length || IsReset, NotLost, Told);
        bool mayReset = _hasReset || hasIntervened || !_isCalm;
        InvariantException.Demand(mayReset || Connection.End != ConnectionEnd.Reset, NoReset, Told);
        if (_isCalm && !hasIntervened)
            CheckCalm(calls, seen, Told);
    }

    private void CheckCalm(Call[] calls, List<SeenResponse> seen, Func<string> told) =>
        InvariantException.Demand(
            seen.Count == _calmRequests && seen.TrueForAll(response => response is { Status: 200, IsComplete: true })
                && calls.All(HasReadAll),
            Calm,
            () => $"{_calmRequests} requests\n{told()}");

    private static bool HasReadAll(Call call)
    {
        string[] parts = call.Target.Split('/', '?');
        int length = int.Parse(parts[^1], System.Globalization.CultureInfo.InvariantCulture);
        return parts[1] is not ("read" or "echo") || call.Read == ScriptedApplication.TextOf(parts[4], 0, length);
    }

    private static bool Fits(Call call, SeenResponse response)
    {
        // Too little content is an error of the application too, found when it has returned.
        if (!call.HadStarted && (call.End == CallEnd.Thrown || (call.IsShort && response.Status != call.Status)))
            return response is { Status: >= 400, Content: "" };
        string written = call.Method == "HEAD" ? "" : call.Written.ToString();
        return response.Status == call.Status
            && written.StartsWith(response.Content, StringComparison.Ordinal)
            && (!response.IsComplete || response.Content.Length == written.Length || call.Status == 101 || call.IsShort);
    }
}
