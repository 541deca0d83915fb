// One app for the clients that speak HTTP/2 or TLS: content both ways, trailers both ways, requests that wait to be given up, a web
// socket. It runs where its server calls it.

using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Clients.Tests;

internal static class WebRoutes
{
    public static Task<AppServer> StartAsync(ServerKind kind, Offer offer) => AppServer.StartAsync(
        kind, Map, builder => builder.Services.AddSingleton<Heard>(), shutdownTimeout: TimeSpan.FromMinutes(5), offer);

    /// <summary>What /bytes answers.</summary>
    public static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var index = 0; index < count; index++)
            bytes[index] = (byte)(index * 31 >> 3);
        return bytes;
    }

    private static void Map(WebApplication application)
    {
        application.UseWebSockets();
        application.MapGet("/plaintext", () => "Hello, World!");
        application.MapGet("/protocol", (HttpRequest request) => $"{request.Protocol} {request.Scheme} {request.Host}");
        application.MapGet("/bytes", (HttpContext context, int n) => SendAsync(context, Bytes(n)));
        application.MapMethods("/length", ["GET", "HEAD"], (HttpContext context) => SendAsync(context, Bytes(12_345), hasLength: true));
        application.MapPost("/hash", HashAsync);
        application.MapPost("/echo", EchoAsync);
        application.MapPost("/trailers", TrailersAsync);
        application.MapGet("/fields", FieldsAsync);
        application.MapGet("/wait", WaitAsync);
        application.MapGet("/half", HalfAsync);
        application.MapGet("/heard", async (Heard heard, string word) =>
        {
            await heard.WaitAsync(word);
            return word;
        });
        application.MapGet("/abort", (HttpContext context) => context.Abort());
        application.MapGet("/reset", (HttpContext context, int code) =>
            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code));
        application.MapGet("/release", async (Heard heard) =>
        {
            heard.Say("release asked");
            await heard.Released;
            return "released";
        });
        application.Map("/ws", async (HttpContext context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await WebSockets.EchoAsync(socket);
        });
    }

    private static async Task SendAsync(HttpContext context, byte[] bytes, bool hasLength = false)
    {
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = hasLength ? bytes.Length : null;
        for (var start = 0; start < bytes.Length; start += 10_000)
            await context.Response.Body.WriteAsync(bytes.AsMemory(start, Math.Min(10_000, bytes.Length - start)), context.RequestAborted);
    }

    private static async Task HashAsync(HttpContext context)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
            foreach (var block in read.Buffer)
                hash.AppendData(block.Span);
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }
        await context.Response.WriteAsync(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    // Piece by piece, so that a client can have the first before it sends the second.
    private static async Task EchoAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        await context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    // What came as a trailer goes back as one.
    private static async Task TrailersAsync(HttpContext context)
    {
        context.Response.DeclareTrailer("X-Length");
        await context.Response.StartAsync();
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content);
        await context.Response.Body.WriteAsync(content.ToArray());
        context.Response.AppendTrailer("X-Length", $"{content.Length}");
        foreach (var (name, values) in context.Features.GetRequiredFeature<IHttpRequestTrailersFeature>().Trailers)
            context.Response.AppendTrailer(name, values);
    }

    // The request's fields as a client wrote them, and as many in the response.
    private static async Task FieldsAsync(HttpContext context)
    {
        var text = new StringBuilder();
        foreach (var (name, values) in context.Request.Headers)
        {
            if (!name.StartsWith("X-", StringComparison.OrdinalIgnoreCase))
                continue;
            context.Response.Headers[name] = values;
            text.Append($"{name.ToUpperInvariant()}: {values}\n");
        }
        await context.Response.WriteAsync(text.ToString());
    }

    private static async Task WaitAsync(HttpContext context, Heard heard)
    {
        heard.Say("waits");
        await heard.AbortAsync(context);
    }

    private static async Task HalfAsync(HttpContext context, Heard heard)
    {
        await context.Response.WriteAsync("half");
        await heard.AbortAsync(context);
    }

    /// <summary>What the app has to say to the test, beside its responses.</summary>
    internal sealed class Heard
    {
        private readonly Channel<string> _words = Channel.CreateUnbounded<string>();
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Released => _released.Task;

        public void Say(string word) => _words.Writer.TryWrite(word);

        public void Release() => _released.SetResult();

        /// <summary>Waits until the word has been said as often as here asked for.</summary>
        public async Task WaitAsync(string word, int count = 1)
        {
            using var patience = new CancellationTokenSource(ClientProcess.Patience);
            for (var seen = 0; seen < count;)
            {
                if (await _words.Reader.ReadAsync(patience.Token) == word)
                    seen++;
            }
        }

        public async Task AbortAsync(HttpContext context)
        {
            var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task;
            Say("aborted");
        }
    }
}
