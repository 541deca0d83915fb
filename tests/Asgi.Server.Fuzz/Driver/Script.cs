// Draws what a few clients do to a server and checks what came of it. Called by the campaign.

using System.Globalization;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Fuzz.Messages;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Fuzz.Driver;

/// <param name="steps">What happens, in order.</param>
/// <param name="seed">What the network draws from.</param>
/// <param name="limits">The server's.</param>
/// <param name="conditions">The network's.</param>
internal sealed class Script(Step[] steps, int seed, ConnectionLimits limits, NetworkConditions conditions) : FuzzCase
{
    private const int ClientsMax = 4;

    public override string Literal =>
        $"seed {seed}\n{limits}\n{conditions}\n"
        + string.Join('\n', steps.Select(step => step with { Bytes = Testing.Wire.Show(step.Bytes) }));

    public static FuzzCase Draw(Random random)
    {
        bool isCalm = random.Next(3) == 0;
        bool hasLarge = random.Next(5) == 0;
        int seed = random.Next(2) == 0 ? random.Next() : 0;
        // Byte by byte is the wire fuzzers' to try often: here each byte costs a turn of the loop.
        int segmentLengthMin = hasLarge ? 1000 : random.Next(10) == 0 ? 1 : 60;
        var steps = new List<Step>();
        int clients = random.Next(1, ClientsMax + 1);
        for (int i = random.Next(3, 30); i > 0; i--)
            steps.Add(DrawStep(random, random.Next(clients), steps.Count, isCalm, hasLarge));
        return new Script([.. steps], seed, DrawLimits(random), NetworkConditions.Of(seed, segmentLengthMin));
    }

    public override void Check() => Play.Run(steps, seed, limits, conditions);

    public override IEnumerable<FuzzCase> Reduce()
    {
        foreach (Step[] less in Less(steps))
            yield return new Script(less, seed, limits, conditions);
        if (conditions != NetworkConditions.Calm)
            yield return new Script(steps, seed, limits, NetworkConditions.Calm);
        if (limits != new ConnectionLimits())
            yield return new Script(steps, seed, new ConnectionLimits(), conditions);
        for (int i = 0; i < steps.Length; i++)
        {
            // What is promised of the bytes holds for all of them only.
            foreach (char[] less in Less(steps[i].Bytes.ToCharArray()))
            {
                Step shorter = steps[i] with { Bytes = new(less), CalmRequests = 0 };
                yield return new Script([.. steps[..i], shorter, .. steps[(i + 1)..]], seed, limits, conditions);
            }
        }
    }

    private static ConnectionLimits DrawLimits(Random random) => random.Next(2) == 0 ? new ConnectionLimits() : new ConnectionLimits
    {
        RequestBufferSizeMax = random.Next(3) == 0 ? null : random.Next(600, 5000),
        ResponseBufferSizeMax = random.Next(3) switch { 0 => null, 1 => 0, _ => random.Next(1, 5000) },
        ContentLengthMax = random.Next(3) == 0 ? null : random.Next(3500, 5000),
        RequestRateMin = random.Next(2) == 0 ? null : new DataRate(240, 5_000),
        ResponseRateMin = random.Next(2) == 0 ? null : new DataRate(240, 5_000),
        Http1 = new Http1Limits { MaxRequestLineSize = 200, MaxRequestHeadersTotalSize = 300, MaxRequestHeaderCount = 8 },
    };

    private static Step DrawStep(Random random, int client, int number, bool isCalm, bool hasLarge)
    {
        string id = $"c{client}s{number}";
        switch (random.Next(isCalm ? 16 : 24))
        {
            case < 7:
                return DrawCalm(random, client, id, hasLarge);
            case < 9:
                return new(StepKind.Tick, Amount: random.Next(1, 6));
            case < 11:
                return new(StepKind.Run);
            case < 13:
                return new(StepKind.Release);
            case < 16:
                return new(StepKind.ReleaseOffLoop);
            case 16:
                string wild = DrawRequest(random, id, ScriptedApplication.WildModes, hasLarge, random.Next(4) == 0);
                return new(StepKind.Send, client, Bytes: wild);
            case 17:
                string request = DrawRequest(random, id, ScriptedApplication.CalmModes, hasLarge, random.Next(4) == 0);
                return new(StepKind.Send, client, Bytes: Encoding.Latin1.GetString(Mutation.Apply(random, request)));
            case 18:
                string whole = DrawRequest(random, id, ScriptedApplication.CalmModes, hasLarge, isClose: false);
                return new(StepKind.Send, client, Bytes: whole[..random.Next(whole.Length)]);
            case 19:
                return new(StepKind.Finish, client);
            case 20:
                return new(random.Next(2) == 0 ? StepKind.Reset : StepKind.Run, client);
            case 21:
                return new(StepKind.Window, client, random.Next(3) == 0 ? long.MaxValue : random.Next(0, 5000));
            case 22:
                int[] times = [10, 700, 1_500, 6_000, 31_000, 131_000];
                return new(StepKind.Advance, Amount: times[random.Next(times.Length)]);
            default:
                return new(random.Next(4) == 0 ? StepKind.Stop : StepKind.Run);
        }
    }

    private static Step DrawCalm(Random random, int client, string id, bool hasLarge)
    {
        int count = random.Next(3) == 0 ? random.Next(2, 6) : 1;
        var bytes = new StringBuilder();
        for (int i = 0; i < count; i++)
            bytes.Append(DrawRequest(random, $"{id}r{i}", ScriptedApplication.CalmModes, hasLarge, isClose: false));
        return new(StepKind.Send, client, Bytes: bytes.ToString(), CalmRequests: count);
    }

    private static string DrawRequest(Random random, string id, string[] modes, bool hasLarge, bool isClose)
    {
        string mode = modes[random.Next(modes.Length)];
        int size = hasLarge && random.Next(3) == 0 ? random.Next(5_000, 20_000) : random.Next(1, 600);
        // Content that no application reads is taken in only while the server is patient.
        string content = random.Next(3) == 0 && mode != "upgrade" ? ScriptedApplication.TextOf(id, 0, random.Next(2000)) : "";
        string method = content.Length > 0 ? "POST" : random.Next(6) == 0 ? "HEAD" : "GET";
        string framing = content.Length == 0 ? "" : random.Next(2) == 0
            ? $"Content-Length: {content.Length}\r\n"
            : "Transfer-Encoding: chunked\r\n";
        string expect = content.Length > 0 && mode is "read" or "echo" && random.Next(4) == 0 ? "Expect: 100-continue\r\n" : "";
        string connection = isClose ? "Connection: close\r\n" : mode == "upgrade" ? "Connection: Upgrade\r\nUpgrade: echo\r\n" : "";
        return $"{method} /{mode}/{random.Next(1, 5)}/{size}/{id}?{content.Length} HTTP/1.1\r\nHost: a\r\n{framing}{expect}{connection}\r\n"
            + (framing.StartsWith('T') ? Chunked(random, content) : content);
    }

    private static string Chunked(Random random, string content)
    {
        var wire = new StringBuilder();
        for (int start = 0, size; start < content.Length; start += size)
        {
            size = Math.Min(content.Length - start, random.Next(20, 900));
            wire.Append(CultureInfo.InvariantCulture, $"{size:x}\r\n").Append(content, start, size).Append("\r\n");
        }
        return wire.Append("0\r\n\r\n").ToString();
    }
}
