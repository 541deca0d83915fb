// The app that has to endure: what a load can check, on Asgi.Server, with nothing logged. Prints its address, then serves until
// it is ended.

using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;

namespace Endure;

internal static class ServedApp
{
    private const int ContentMax = 64 << 20;
    private const int PieceSize = 16 * 1024;
    private const int Period = 251; // a prime, so that no two pages are alike

    private static readonly byte[] Pattern = [.. Enumerable.Range(0, Period + PieceSize).Select(i => (byte)(i % Period))];

    public static async Task RunAsync(Options options)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseAsgiServer(server =>
        {
            if (options.Timeout > 0)
                server.Limits.RequestHeadersTimeout = server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(options.Timeout);
        });
        var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/bytes", BytesAsync);
        app.MapGet("/pieces", PiecesAsync);
        app.MapPost("/upload", UploadAsync);
        app.MapPost("/echo", context => context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted));
        app.MapGet("/events", EventsAsync);
        app.MapGet("/socket", SocketAsync);
        app.MapGet("/heap", () => GC.GetTotalMemory(forceFullCollection: false).ToString(CultureInfo.InvariantCulture));
        app.MapGet("/collect", () =>
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            return GC.GetTotalMemory(forceFullCollection: false).ToString(CultureInfo.InvariantCulture);
        });
        await app.StartAsync();
        Console.WriteLine(app.Urls.Single());
        // Without its parent nobody would end it.
        await Console.In.ReadToEndAsync();
    }

    /// <summary>The content that both sides know; made by copying, for its making is not what is to be endured.</summary>
    public static byte[] Content(int length, int first = 0)
    {
        var content = new byte[length];
        for (int done = 0; done < length; done += PieceSize)
            Pattern.AsSpan((first + done) % Period, Math.Min(PieceSize, length - done)).CopyTo(content.AsSpan(done));
        return content;
    }

    private static int Number(HttpContext context, string name) =>
        Math.Clamp(int.Parse(context.Request.Query[name].ToString(), CultureInfo.InvariantCulture), 0, ContentMax);

    private static async Task BytesAsync(HttpContext context)
    {
        byte[] content = Content(Number(context, "n"));
        context.Response.ContentLength = content.Length;
        // Without RequestAborted, which FIN raises: a half-closed client waits for its response.
        await context.Response.Body.WriteAsync(content);
    }

    private static async Task PiecesAsync(HttpContext context)
    {
        int length = Number(context, "n");
        for (int sent = 0; sent < length; sent += PieceSize)
            await context.Response.Body.WriteAsync(Content(Math.Min(PieceSize, length - sent), sent), context.RequestAborted);
    }

    private static async Task UploadAsync(HttpContext context)
    {
        byte[] hash = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted);
        await context.Response.WriteAsync(Convert.ToHexString(hash), context.RequestAborted);
    }

    private static async Task EventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        int count = Number(context, "n");
        for (int i = 0; i < count; i++)
        {
            await context.Response.WriteAsync($"data: {i}\n\n", context.RequestAborted);
            await Task.Delay(20, context.RequestAborted);
        }
    }

    private static async Task SocketAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[8 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } read)
            await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
