// The app the README starts: one of everything an ASP.NET Core app asks of its server. Entry point; requests run where the server
// calls them.

using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Asgi.Server.Features;

if (args is ["--raw", ..])
{
    await RawApplication.ServeAsync(args[1..]);
    return;
}

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseAsgiServer();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, SampleJson.Default));

var app = builder.Build();

// How long the app needed until the head left; a header can only be set before the response starts.
app.Use((context, next) =>
{
    var started = Stopwatch.GetTimestamp();
    context.Response.OnStarting(() =>
    {
        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        context.Response.Headers["Server-Timing"] = string.Create(CultureInfo.InvariantCulture, $"app;dur={elapsed:F3}");
        context.Response.Headers["X-Trace-Id"] = context.TraceIdentifier;
        return Task.CompletedTask;
    });
    return next(context);
});

// wwwroot, with validators and ranges: /index.html, /numbers.txt
app.UseStaticFiles();

app.MapGet("/", () => Results.File("index.html", "text/html; charset=utf-8"));
app.MapGet("/plaintext", () => "Hello, World!");
app.MapGet("/json", () => new Greeting("Hello, World!"));

app.MapGet("/async", async () =>
{
    await Task.Yield();
    return "Hello from another thread";
});

app.MapGet("/delay", async (int? milliseconds, CancellationToken aborted) =>
{
    var delay = Math.Clamp(milliseconds ?? 100, 0, 10_000);
    await Task.Delay(delay, aborted);
    return $"Waited {delay} ms";
});

// Blocks its thread, as handlers should not: the server notices and keeps its loops free.
app.MapGet("/sleep", (int? milliseconds) =>
{
    var sleep = Math.Clamp(milliseconds ?? 50, 0, 10_000);
    Thread.Sleep(sleep);
    return $"Slept {sleep} ms";
});

// WriteAsync flushes, so each line leaves as a chunk of its own.
app.MapGet("/stream", async (HttpResponse response, CancellationToken aborted) =>
{
    response.ContentType = "text/plain; charset=utf-8";
    for (var line = 1; line <= 10; line++)
    {
        await response.WriteAsync($"line {line} of 10\n", aborted);
        await Task.Delay(50, aborted);
    }
});

app.MapGet("/events", (int? count, CancellationToken aborted) =>
    TypedResults.ServerSentEvents(Ticks(Math.Clamp(count ?? 5, 1, 100), aborted)));

// 103: a browser fetches what the page will need while the app is still at work on it.
app.MapGet("/hints", async (HttpResponse response, CancellationToken aborted) =>
{
    await response.SendEarlyHintsAsync("</numbers.txt>; rel=preload; as=fetch", aborted);
    await Task.Delay(200, aborted);
    return "The hint came first";
});

// The digest (RFC 9530) is known when everything is sent, so it follows as a trailer.
app.MapGet("/trailers", async (HttpResponse response, CancellationToken aborted) =>
{
    response.ContentType = "text/plain";
    response.DeclareTrailer("Content-Digest");
    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    for (var number = 1; number <= 10; number++)
    {
        var line = Encoding.ASCII.GetBytes($"line {number} of 10\n");
        hash.AppendData(line);
        await response.BodyWriter.WriteAsync(line, aborted);
    }

    if (response.SupportsTrailers())
        response.AppendTrailer("Content-Digest", $"sha-256=:{Convert.ToBase64String(hash.GetHashAndReset())}:");
});

app.MapPost("/echo", async (HttpRequest request, HttpResponse response, CancellationToken aborted) =>
{
    response.ContentType = request.ContentType;
    response.ContentLength = request.ContentLength;
    await request.BodyReader.CopyToAsync(response.BodyWriter, aborted);
});

// The body is hashed block by block as it arrives and never held whole.
app.MapPost("/upload", async (HttpRequest request, CancellationToken aborted) =>
{
    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    long length = 0;
    ReadResult read;
    do
    {
        read = await request.BodyReader.ReadAsync(aborted);
        foreach (var block in read.Buffer)
            hash.AppendData(block.Span);
        length += read.Buffer.Length;
        request.BodyReader.AdvanceTo(read.Buffer.End);
    }
    while (!read.IsCompleted);
    return new Upload(length, Convert.ToHexStringLower(hash.GetHashAndReset()));
});

app.Run();

static async IAsyncEnumerable<SseItem<Tick>> Ticks(int count, [EnumeratorCancellation] CancellationToken aborted)
{
    for (var number = 1; number <= count; number++)
    {
        yield return new SseItem<Tick>(new Tick(number, TimeProvider.System.GetUtcNow()), "tick") { EventId = $"{number}" };
        if (number < count)
            await Task.Delay(200, aborted);
    }
}

internal sealed record Greeting(string Message);

internal sealed record Upload(long Length, string Sha256);

internal sealed record Tick(int Number, DateTimeOffset At);

// Source-generated, so that the app can be trimmed and compiled ahead of time.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Greeting))]
[JsonSerializable(typeof(Upload))]
[JsonSerializable(typeof(Tick))]
internal sealed partial class SampleJson : JsonSerializerContext;
