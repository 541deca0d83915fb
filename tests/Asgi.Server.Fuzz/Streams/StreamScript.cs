// Draws what a few clients of HTTP/2 do to a server and checks what came of it. Called by the campaign.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Fuzz.Driver;
using Asgi.Server.Fuzz.Messages;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Fuzz.Streams;

/// <param name="steps">What happens, in order.</param>
/// <param name="seed">What the network draws from.</param>
/// <param name="limits">The server's.</param>
/// <param name="conditions">The network's.</param>
internal sealed class StreamScript(StreamStep[] steps, int seed, ConnectionLimits limits, NetworkConditions conditions) : FuzzCase
{
    private const int ClientsMax = 3;

    public override string Literal =>
        $"seed {seed}\n{limits}\n{conditions}\n"
        + string.Join('\n', steps.Select(step => step with { Bytes = Wire.Show(step.Bytes) }));

    public static FuzzCase Draw(Random random)
    {
        bool isCalm = random.Next(3) == 0;
        bool hasLarge = random.Next(5) == 0;
        int seed = random.Next(2) == 0 ? random.Next() : 0;
        int segmentLengthMin = hasLarge ? 1000 : random.Next(10) == 0 ? 1 : 60;
        var steps = new List<StreamStep>();
        int clients = random.Next(1, ClientsMax + 1);
        for (int i = random.Next(3, 50); i > 0; i--)
            steps.Add(DrawStep(random, random.Next(clients), steps.Count, isCalm, hasLarge));
        return new StreamScript([.. steps], seed, DrawLimits(random), NetworkConditions.Of(seed, segmentLengthMin));
    }

    public override void Check() => StreamPlay.Run(steps, seed, limits, conditions);

    public override IEnumerable<FuzzCase> Reduce()
    {
        foreach (StreamStep[] less in Less(steps))
            yield return new StreamScript(less, seed, limits, conditions);
        if (conditions != NetworkConditions.Calm)
            yield return new StreamScript(steps, seed, limits, NetworkConditions.Calm);
        if (limits != new ConnectionLimits())
            yield return new StreamScript(steps, seed, new ConnectionLimits(), conditions);
        for (int i = 0; i < steps.Length; i++)
        {
            StreamStep step = steps[i];
            if (step.Kind == StreamStepKind.Raw)
            {
                foreach (char[] less in Less(step.Bytes.ToCharArray()))
                    yield return With(i, step with { Bytes = new(less), IsCalm = false });
            }
            else if (step.Shape != RequestShape.None && (step.Shape & RequestShape.Connect) == 0)
            {
                yield return With(i, step with { Shape = RequestShape.None });
            }
        }
    }

    private StreamScript With(int index, StreamStep step) =>
        new([.. steps[..index], step, .. steps[(index + 1)..]], seed, limits, conditions);

    private static ConnectionLimits DrawLimits(Random random) => random.Next(3) == 0 ? new ConnectionLimits() : new ConnectionLimits
    {
        ResponseBufferSizeMax = random.Next(3) switch { 0 => null, 1 => 0, _ => random.Next(1, 5000) },
        RequestRateMin = random.Next(2) == 0 ? null : new DataRate(240, 5_000),
        ResponseRateMin = random.Next(2) == 0 ? null : new DataRate(240, 5_000),
        AbortsOnHalfClose = random.Next(8) == 0,
        RequestsMax = random.Next(8) == 0 ? random.Next(1, 8) : null,
        KeepAlivePingDelayMilliseconds = random.Next(4) == 0 ? 3_000 : null,
        CompressesResponseFields = random.Next(4) > 0,
        Http2 = new Http2Limits
        {
            MaxStreamsPerConnection = random.Next(3) == 0 ? random.Next(1, 6) : 100,
            InitialStreamWindowSize = random.Next(3) switch { 0 => 768 * 1024, 1 => random.Next(1, 100), _ => random.Next(100, 3_000) },
            InitialConnectionWindowSize = random.Next(2) == 0 ? 65_535 : 1024 * 1024,
            MaxRequestHeaderCount = 8,
            MaxRequestHeadersTotalSize = 700,
            MaxRequestHeaderFieldSize = 300,
            SettingsMax = random.Next(4) == 0 ? 60 : 100,
        },
    };

    private static StreamStep DrawStep(Random random, int client, int number, bool isCalm, bool hasLarge)
    {
        switch (random.Next(isCalm ? 27 : 37))
        {
            case < 7:
                return DrawRequest(random, client, number, ScriptedApplication.CalmStreamModes, hasLarge, isCalm: true);
            case < 10:
                return new(StreamStepKind.Feed, client, random.Next(1, 6), random.Next(1, 3_000));
            case < 13:
                return new(StreamStepKind.Tick, Amount: random.Next(1, 6));
            case < 15:
                return new(StreamStepKind.Run);
            case < 17:
                return new(StreamStepKind.Release);
            case < 20:
                return new(StreamStepKind.ReleaseOffLoop);
            case 20:
                return new(StreamStepKind.Cancel, client, Stream: random.Next(1, 20));
            case < 23:
                return new(StreamStepKind.Credit, client, random.Next(1, 20_000), random.Next(0, 20));
            case < 26:
                return new(StreamStepKind.Raw, client, Bytes: Text(DrawControl(random)));
            case 26:
                return new(random.Next(12) == 0 ? StreamStepKind.Stop : StreamStepKind.Run);
            case < 29:
                return DrawRequest(random, client, number, ScriptedApplication.WildStreamModes, hasLarge, isCalm: false);
            case < 31:
                return new(StreamStepKind.Raw, client, Bytes: Text(DrawWild(random)), IsCalm: false);
            case 31:
                string frames = Text(Join(DrawWild(random), DrawControl(random), Request(99, "POST", "/echo/1/1/x", end: false)));
                return new(StreamStepKind.Raw, client, Bytes: Text(Mutation.Apply(random, frames)), IsCalm: false);
            case 32:
                return new(StreamStepKind.Finish, client);
            case 33:
                return new(random.Next(2) == 0 ? StreamStepKind.Reset : StreamStepKind.Run, client);
            case 34:
                return new(StreamStepKind.Window, client, random.Next(3) == 0 ? long.MaxValue : random.Next(0, 5000));
            case 35:
                int[] times = [10, 700, 1_500, 6_000, 11_000, 31_000, 131_000];
                return new(StreamStepKind.Advance, Amount: times[random.Next(times.Length)]);
            default:
                return new(random.Next(3) == 0 ? StreamStepKind.Stop : StreamStepKind.Run);
        }
    }

    private static StreamStep DrawRequest(Random random, int client, int number, string[] modes, bool hasLarge, bool isCalm)
    {
        string mode = modes[random.Next(modes.Length)];
        int size = hasLarge && random.Next(3) == 0 ? random.Next(5_000, 20_000) : random.Next(1, 600);
        int content = random.Next(2) == 0 ? random.Next(hasLarge ? 20_000 : 3_000) : 0;
        RequestShape shape = (RequestShape)random.Next(32) & ~RequestShape.Connect;
        shape |= random.Next(4) == 0 ? RequestShape.EmptyEnd : 0;
        shape &= random.Next(4) == 0 || isCalm ? ~RequestShape.Expecting : shape;
        if (mode == "connect")
            shape = RequestShape.Connect;
        string method = content > 0 ? "POST" : random.Next(6) == 0 ? "HEAD" : "GET";
        string target = $"{method} /{mode}/{random.Next(1, 5)}/{size}/c{client}s{number}?{content}";
        return new(StreamStepKind.Open, client, Stream: number, Bytes: target, Content: content, Shape: shape, IsCalm: isCalm);
    }

    // What well-behaved clients send besides requests.
    private static byte[] DrawControl(Random random)
    {
        int[] windows = [0, 1, 100, 5_000, 65_535, 1 << 20];
        int[] tables = [0, 60, 200, 4_096, 10_000];
        return random.Next(6) switch
        {
            0 => Frame(PingType, 0, 0, [.. UInt32((uint)random.Next()), .. UInt32((uint)random.Next())]),
            1 or 2 => Settings((4, (uint)windows[random.Next(windows.Length)])),
            3 => Settings((1, (uint)tables[random.Next(tables.Length)]), (1, (uint)tables[random.Next(tables.Length)])),
            4 => Settings((5, (uint)random.Next(16_384, 20_000)), (4, (uint)random.Next(0, 70_000)), (99, 1)),
            _ => Frame((byte)random.Next(10, 256), random.Next(256), (uint)random.Next(5), new byte[random.Next(20)]),
        };
    }

    // What they do not; of ids that the client may have used, or may be about to.
    private static byte[] DrawWild(Random random)
    {
        uint id = (uint)random.Next(0, 40);
        return random.Next(19) switch
        {
            0 => DataFrame(id, random.Next(300), random.Next(2) == 0),
            1 => PaddedData(id, "abc", (byte)random.Next(256)),
            2 => Headers(id, random.Next(2) == 0, "x-a: b"),
            3 => Request(id | 1, "GET", "/now/1/9/wild", end: random.Next(2) == 0),
            4 => Request(id | 1, "GET", "/now/1/9/wild", end: true, "Upper: x"),
            5 => Request(id | 1, "POST", "/read/1/9/wild", end: false, "content-length: 7"),
            6 => Request(id | 1, "GET", "/now/1/9/wild", end: true, [.. Enumerable.Range(0, random.Next(7, 12)).Select(i => $"x-{i}: y")]),
            7 => Request(id | 1, "GET", "/" + new string('x', random.Next(100, 1_000)), end: true),
            8 => RstStream(id, (uint)random.Next(16)),
            9 => WindowUpdate(id, (uint)random.Next(3)),
            10 => WindowUpdate(id, int.MaxValue),
            11 => Settings((4, uint.MaxValue)),
            12 => Settings((5, (uint)random.Next(20_000))),
            13 => GoAway((uint)random.Next(3)),
            14 => Frame(Continuation, EndHeaders, id, 1, 2, 3),
            15 => Frame((byte)random.Next(10), random.Next(256), id, new byte[random.Next(12)]),
            16 => SettingsAck(),
            17 => Repeat(random.Next(2) == 0 ? Settings() : DataFrame(id | 1, 0), random.Next(20, 130)),
            _ => Join([.. Enumerable.Range(0, random.Next(2, 130)).Select(i =>
                Join(Get((uint)(41 + (2 * i))), RstStream((uint)(41 + (2 * i)))))]),
        };
    }

    private static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}
