// An ASP.NET application that does what the target of a request says: /mode/pieces/size/id?length. It leaves a note of each call, and where
// it waits the script decides when it goes on, and on which thread.

using System.Buffers;
using System.Globalization;
using System.Text;
using Asgi.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Fuzz.Driver;

internal sealed class ScriptedApplication
{
    /// <summary>Modes that answer a valid request with 200, and whether they read its content.</summary>
    public static readonly string[] CalmModes = ["now", "length", "flush", "later", "hops", "read", "echo", "complete", "start"];

    public static readonly string[] WildModes = ["throw", "late", "abort", "short", "upgrade", "empty", "swallow", "latethrow"];

    /// <summary>The same for HTTP/2.</summary>
    public static readonly string[] CalmStreamModes = [.. CalmModes, "trailers", "fields", "hints", "cancels"];

    public static readonly string[] WildStreamModes =
        ["throw", "late", "abort", "short", "empty", "swallow", "latethrow", "reset", "wait", "connect", "afterwards", "partly"];

    private readonly Queue<TaskCompletionSource> _gates = new();

    public List<Call> Calls { get; } = [];

    /// <summary>The content of a request, or a piece of a response, that no other has.</summary>
    public static string TextOf(string id, int piece, int size)
    {
        string one = $"[{id}.{piece}]";
        return string.Concat(Enumerable.Repeat(one, size / one.Length + 1))[..size];
    }

    public bool TryTakeGate(out TaskCompletionSource? gate) => _gates.TryDequeue(out gate);

    public async Task Run(HttpContext context)
    {
        var call = new Call(context);
        Calls.Add(call);
        try
        {
            await Act(context, call);
            call.NoteEnd(CallEnd.Returned, context.Response.HasStarted);
        }
        catch (Exception)
        {
            call.NoteEnd(CallEnd.Thrown, context.Response.HasStarted);
            throw;
        }
    }

    private async Task Act(HttpContext context, Call call)
    {
        // Whatever a mutated target says.
        string[] parts = (context.Request.Path.Value ?? "").Split('/');
        string mode = parts.ElementAtOrDefault(1) ?? "";
        int pieces = Number(parts.ElementAtOrDefault(2), 5);
        int size = Number(parts.ElementAtOrDefault(3), 20_000);
        string id = parts.ElementAtOrDefault(4) ?? "";
        switch (mode)
        {
            case "throw":
                throw new InvalidOperationException("As the script says.");
            case "abort":
                await WriteAll(context, call, id, pieces, size, flushes: true);
                call.IsAborted = true;
                context.Abort();
                return;
            case "upgrade":
                await Upgrade(context, call);
                return;
            case "reset":
                await WriteAll(context, call, id, pieces, size, flushes: pieces > 2);
                call.IsAborted = true;
                context.Features.Get<IHttpResetFeature>()!.Reset(size);
                await WriteLate(context, id);
                return;
            case "wait":
                await Gate();
                var left = new TaskCompletionSource();
                using (context.RequestAborted.Register(left.SetResult))
                    await left.Task;
                return;
            case "connect":
                if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
                    await Talk(await connect.AcceptAsync(), call);
                return;
            case "afterwards":
                await WriteAll(context, call, id, pieces, size, flushes: false);
                await context.Response.CompleteAsync();
                await WriteLate(context, id);
                return;
            case "empty":
                context.Response.StatusCode = call.Status = StatusCodes.Status204NoContent;
                return;
            case "echo":
                await Echo(context, call);
                return;
        }

        if (mode is "later" or "latethrow")
            await Gate();
        if (mode is "latethrow")
            throw new InvalidOperationException("As the script says.");
        if (mode is "fields")
            AddFields(context.Response, pieces * size);
        if (mode is "hints")
            await SendHints(context, pieces, size);
        if (mode is "partly")
            await ReadPart(context, call);
        if (mode is "cancels")
            await ReadCancelled(context, call);
        if (mode is "read" or "swallow" or "trailers")
            await ReadContent(context, call, mode == "swallow");
        if (mode is "length" or "short")
            context.Response.ContentLength = pieces * size + (mode == "short" ? 10 : 0);
        call.IsShort = mode == "short";
        if (mode == "trailers" && context.Response.SupportsTrailers())
            context.Response.AppendTrailer("x-after", call.Trailer = id);
        if (mode == "start")
            await context.Response.StartAsync();
        await WriteAll(context, call, id, pieces, size, flushes: mode is "flush" or "hops" or "late", hops: mode == "hops");
        if (mode == "late")
            throw new InvalidOperationException("As the script says.");
        if (mode == "complete")
        {
            await context.Response.CompleteAsync();
            await Gate();
        }
    }

    private static int Number(string? text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? Math.Min(number, max) : 1;

    private Task Gate()
    {
        var gate = new TaskCompletionSource();
        _gates.Enqueue(gate);
        return gate.Task;
    }

    private async Task WriteAll(HttpContext context, Call call, string id, int pieces, int size, bool flushes, bool hops = false)
    {
        for (int i = 0; i < pieces; i++)
        {
            string piece = TextOf(id, i, size);
            if (hops)
                await Gate();
            call.Written.Append(piece);
            if (i % 2 == 0)
                context.Response.BodyWriter.Write(Encoding.Latin1.GetBytes(piece));
            else
                await context.Response.Body.WriteAsync(Encoding.Latin1.GetBytes(piece));
            if (flushes)
                await context.Response.BodyWriter.FlushAsync();
        }
    }

    private async Task ReadContent(HttpContext context, Call call, bool swallows)
    {
        try
        {
            await foreach (byte[] piece in Content(context))
                call.NoteRead(piece);
            call.RequestTrailer = TrailerOf(context);
        }
        catch (Exception) when (swallows)
        {
            // What a careless application does.
        }
    }

    private async Task Echo(HttpContext context, Call call)
    {
        await foreach (byte[] piece in Content(context))
        {
            call.NoteRead(piece);
            call.Written.Append(Encoding.Latin1.GetString(piece));
            await context.Response.Body.WriteAsync(piece);
            if (piece.Length % 3 == 0)
                await Gate();
        }
        call.RequestTrailer = TrailerOf(context);
    }

    // Heads that are larger than a frame, or a block of memory, and change from one to the next.
    private static void AddFields(HttpResponse response, int length)
    {
        for (int i = 0; length > 0; i++, length -= 3_000)
            response.Headers[$"x-field-{i}"] = TextOf("f", i, Math.Min(length, 3_000));
    }

    private async Task SendHints(HttpContext context, int count, int size)
    {
        for (int i = 0; i < count; i++)
        {
            if (i % 2 == 1)
                await Gate();
            var hints = new HeaderDictionary { ["link"] = TextOf("h", i, size) };
            await context.Features.Get<IHttpInformationalResponseFeature>()!.SendInformationalAsync(103, hints);
        }
    }

    // Looks at more than it takes, though it takes something, and leaves the rest.
    private static async Task ReadPart(HttpContext context, Call call)
    {
        for (int i = 0; i < 3; i++)
        {
            var read = await context.Request.BodyReader.ReadAsync();
            byte[] piece = read.Buffer.Slice(0, (read.Buffer.Length + 1) / 2).ToArray();
            call.NoteRead(piece);
            context.Request.BodyReader.AdvanceTo(
                read.Buffer.GetPosition(piece.Length), read.IsCompleted ? read.Buffer.GetPosition(piece.Length) : read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    // A read that is cancelled while it waits, or before, and again.
    private async Task ReadCancelled(HttpContext context, Call call)
    {
        var reader = context.Request.BodyReader;
        for (bool isCompleted = false; !isCompleted;)
        {
            ValueTask<System.IO.Pipelines.ReadResult> reading = reader.ReadAsync();
            if (!reading.IsCompleted)
            {
                await Gate();
                reader.CancelPendingRead();
            }
            var read = await reading;
            call.NoteRead(read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);
            isCompleted = read.IsCompleted;
        }
    }

    private static string? TrailerOf(HttpContext context) =>
        context.Request.CheckTrailersAvailable() && context.Request.GetTrailer("x-sum") is { Count: > 0 } sum ? sum.ToString() : null;

    // What nobody is to see, since the response is over.
    private async Task WriteLate(HttpContext context, string id)
    {
        await Gate();
        try
        {
            await context.Response.Body.WriteAsync(Encoding.Latin1.GetBytes(TextOf(id, 9, 50)));
            await context.Response.Body.FlushAsync();
        }
        catch (Exception)
        {
            // It hears of it or not.
        }
    }

    private static async IAsyncEnumerable<byte[]> Content(HttpContext context)
    {
        while (true)
        {
            var read = await context.Request.BodyReader.ReadAsync();
            byte[] piece = read.Buffer.ToArray();
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (piece.Length > 0)
                yield return piece;
            if (read.IsCompleted)
                yield break;
        }
    }

    private async Task Upgrade(HttpContext context, Call call)
    {
        IHttpUpgradeFeature feature = context.Features.Get<IHttpUpgradeFeature>()!;
        if (!feature.IsUpgradableRequest)
            return;
        call.Status = StatusCodes.Status101SwitchingProtocols;
        await Talk(await feature.UpgradeAsync(), call);
    }

    private async Task Talk(Stream upgraded, Call call)
    {
        await using Stream stream = upgraded;
        var buffer = new byte[700];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            call.NoteRead(buffer.AsSpan(0, read));
            call.Written.Append(Encoding.Latin1.GetString(buffer.AsSpan(0, read)));
            await stream.WriteAsync(buffer.AsMemory(0, read));
            if (read % 3 == 0)
                await Gate();
        }
    }
}
