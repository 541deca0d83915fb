// A connection for the HTTP/2 machine: what a client sends, step by step, what the driver does in between, and what must hold of it.

using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;

namespace Asgi.Server.Fuzz.Frames;

/// <summary>What arrives, how long after the step before, and what the driver does then.</summary>
/// <param name="Bytes">A frame, or what a mutation made of it.</param>
/// <param name="Milliseconds">Since the step before.</param>
/// <param name="Act">What the driver does.</param>
/// <param name="Choice">To which of its streams, and how much.</param>
internal sealed record FrameStep(byte[] Bytes, int Milliseconds, DriverAct Act, int Choice)
{
    public override string ToString() => $"{Convert.ToHexString(Bytes)} +{Milliseconds} ms, {Act} {Choice}";
}

internal enum DriverAct
{
    None,
    SendHeaders,
    SendData,
    End,
    Reset,
    Consume,
    Release,
    FinishGoAway,
    DropScratch,
}

/// <param name="steps">The connection, behind its preface.</param>
/// <param name="limits">What the machine accepts.</param>
internal sealed class FrameCase(FrameStep[] steps, Http2Limits limits) : FuzzCase
{
    private const string NeverThrows = "Any bytes give events or a fault, never an exception, and no more is consumed than was given.";
    private const string CutsDoNotMatter = "The events are the same however the bytes are cut.";
    private const string StreamsAreOrderly = "A stream is told by its request, then content, then one end, and nothing after it.";
    private const string WindowsAddUp =
        "The window, the credit, what is unconsumed and what is to come are the size of the connection's window.";
    private const string CountsAreKept = "No more streams are open than allowed, and no more in use than twice as many.";

    // Byte by byte costs the square of the length.
    private const int BytewiseMax = 1000;

    public override string Literal => $"with {limits}\n{string.Join('\n', steps.Select(step => step.ToString()))}";

    public override void Check()
    {
        Http2Run whole = Play(int.MaxValue);
        bool isShort = steps.Sum(step => step.Bytes.Length) <= BytewiseMax;
        foreach (int pieceMax in (int[])(isShort ? [1, 2, 7, 100] : [100, 5000]))
        {
            Http2Run cut = Play(pieceMax);
            InvariantException.Demand(
                whole.Events.SequenceEqual(cut.Events) && whole.UnconsumedBytes == cut.UnconsumedBytes,
                CutsDoNotMatter,
                () => $"in pieces of {pieceMax}\n{string.Join('\n', cut.Events)}\nwhole\n{string.Join('\n', whole.Events)}");
        }
        CheckOrder(whole.Events);
    }

    public override IEnumerable<FuzzCase> Reduce()
    {
        foreach (FrameStep[] less in Less(steps))
            yield return new FrameCase(less, limits);
        for (int i = 0; i < steps.Length; i++)
        {
            foreach (byte[] less in Less(steps[i].Bytes))
                yield return new FrameCase([.. steps[..i], steps[i] with { Bytes = less }, .. steps[(i + 1)..]], limits);
            if (steps[i].Act != DriverAct.None)
                yield return new FrameCase([.. steps[..i], steps[i] with { Act = DriverAct.None }, .. steps[(i + 1)..]], limits);
        }
        if (limits != Http2Limits.Default)
            yield return new FrameCase(steps, Http2Limits.Default);
    }

    private Http2Run Play(int pieceMax)
    {
        var run = new Http2Run(limits, pieceMax);
        try
        {
            run.Receive(Http2Bytes.Start);
            foreach (FrameStep step in steps)
            {
                run.Now += step.Milliseconds;
                run.Receive(step.Bytes);
                Do(run, step.Act, step.Choice);
                CheckCounts(run);
            }
        }
        catch (Exception thrown) when (thrown is not InvariantException)
        {
            throw new InvariantException(NeverThrows, thrown.ToString());
        }
        return run;
    }

    /// <summary>Whatever a driver may do to one of its streams in its state.</summary>
    private static void Do(Http2Run run, DriverAct act, int choice)
    {
        Http2StreamState[] streams = [.. run.Streams.OrderBy(stream => stream.Id)];
        Http2StreamState? stream = streams.Length > 0 ? streams[choice % streams.Length] : null;
        switch (act)
        {
            case DriverAct.SendHeaders when stream is { CanSend: true }:
                run.Machine.SentHeaders(stream, endStream: false);
                break;
            case DriverAct.SendData when stream is { CanSend: true }:
                run.Machine.SentData(stream, Math.Min(choice, run.Machine.GetSendable(stream)), endStream: false);
                break;
            case DriverAct.End when stream is { CanSend: true }:
                run.Machine.SentData(stream, 0, endStream: true);
                break;
            case DriverAct.Reset when stream is { IsClosed: false }:
                run.Machine.SentReset(stream);
                break;
            case DriverAct.Consume when stream is not null:
                run.Machine.Consumed(stream, Math.Min(choice, stream.UnconsumedBytes));
                break;
            case DriverAct.Release when stream is { IsClosed: true }:
                run.Release(stream);
                break;
            case DriverAct.FinishGoAway:
                run.Machine.FinishGoAway();
                break;
            case DriverAct.DropScratch:
                run.Machine.DropScratch();
                break;
        }
        run.Machine.TakeConnectionIncrement();
    }

    private void CheckCounts(Http2Run run)
    {
        Http2Machine machine = run.Machine;
        int max = limits.MaxStreamsPerConnection;
        InvariantException.Demand(
            machine.OpenStreamCount <= max && machine.StreamCount <= 2 * max && machine.OpenStreamCount <= machine.StreamCount,
            CountsAreKept,
            () => $"{machine.OpenStreamCount} open and {machine.StreamCount} in use, {max} allowed");
        if (machine.Fault is not null && run.Last.StartsWith("Fault", StringComparison.Ordinal))
            return;

        // A DATA frame is counted when it begins.
        long sum = run.Streams.Sum(stream => (long)stream.UnconsumedBytes)
            + machine.ConnectionReceiveWindow + machine.ConnectionCredit + machine.ContentToCome;
        long size = Math.Max(limits.InitialConnectionWindowSize, 65_535);
        InvariantException.Demand(
            sum == size && machine.ConnectionSendWindow >= 0 && machine.ConnectionReceiveWindow >= 0,
            WindowsAddUp,
            () => $"{machine.ConnectionReceiveWindow} + {machine.ConnectionCredit} + others = {sum} of {size}");
    }

    private static void CheckOrder(IReadOnlyList<string> events)
    {
        var ended = new Dictionary<int, bool>(); // by the ids of streams that were told; gone when they are reset
        foreach (string line in events)
        {
            string[] words = line.Split(' ', 3);
            bool hasId = words.Length > 1 && int.TryParse(words[1], CultureInfo.InvariantCulture, out _);
            int id = hasId ? int.Parse(words[1], CultureInfo.InvariantCulture) : 0;
            bool ends = line.EndsWith(" end", StringComparison.Ordinal);
            bool isRight = words[0] switch
            {
                "Request" => ended.TryAdd(id, ends),
                "Content" or "Trailers" => ended.TryGetValue(id, out bool isOver) && !isOver && (ended[id] = ends) == ends,
                "StreamReset" => ended.Remove(id),
                "StreamFault" => ended.Remove(id) || true,
                "WindowUpdate" => id == 0 || ended.ContainsKey(id),
                "Fault" => ReferenceEquals(line, events[^1]),
                _ => true,
            };
            InvariantException.Demand(
                isRight, StreamsAreOrderly, () => new StringBuilder(line).Append(" in\n").AppendJoin('\n', events).ToString());
        }
    }
}
