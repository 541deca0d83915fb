// The app that all clients of the matrix talk to, on a real server in the test's own process. A class fixture; the app runs where its
// server calls it, and tells the test of what it cannot say to a client that has left.

using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Asgi.Server.Apps.Tests;

public sealed class MatrixServer : IAsyncLifetime
{
    public const int FileSize = 1024 * 1024;
    public const string FileTag = "\"the file\"";

    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private readonly TemporaryFolder _folder = new();
    private AppServer _server = null!;

    public Uri Address => _server.Address;

    /// <summary>Bytes that differ at each place of a block and from block to block; Clients/content.mjs has the same.</summary>
    public static byte[] Content(int size)
    {
        var content = new byte[size];
        for (var index = 0; index < size; index++)
            content[index] = (byte)((index * 31) >> 3);
        return content;
    }

    public static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public async Task InitializeAsync()
    {
        await File.WriteAllBytesAsync(_folder["file"], Content(FileSize));
        _server = await AppServer.StartAsync(ServerKind.Asgi, Map);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Waits until the app says that something has happened, and that it was this.</summary>
    public async Task ExpectAsync(string what) =>
        Assert.Equal(what, await _events.Reader.ReadAsync().AsTask().WaitAsync(ClientProcess.Patience));

    private void Map(WebApplication app)
    {
        app.Use((context, next) =>
        {
            context.Response.Headers["X-Connection"] = context.Connection.Id;
            return next(context);
        });
        app.MapGet("/connection", (HttpContext context) => context.Connection.Id);
        app.MapPost("/upload", UploadAsync);
        app.MapGet("/download", DownloadAsync);
        app.MapMethods("/file", ["GET", "HEAD"], () =>
            Results.File(_folder["file"], entityTag: new EntityTagHeaderValue(FileTag), enableRangeProcessing: true));
        app.MapPut("/endless", SinkAsync);
        app.MapGet("/endless", SpringAsync);
    }

    private static async Task<string> UploadAsync(HttpRequest request)
    {
        using var content = new MemoryStream();
        await request.Body.CopyToAsync(content);
        request.HttpContext.Response.Headers["X-Framing"] = $"{request.ContentLength}{request.Headers.TransferEncoding}";
        return $"{content.Length} {Hash(content.ToArray())}";
    }

    private static async Task DownloadAsync(HttpResponse response, int size, bool isChunked)
    {
        if (!isChunked)
            response.ContentLength = size;
        var content = Content(size).AsMemory();
        for (; !content.IsEmpty; content = content[Math.Min(content.Length, 60_000)..])
            await response.Body.WriteAsync(content[..Math.Min(content.Length, 60_000)]);
        // So that even without content nobody knows the length.
        if (isChunked)
            await response.Body.FlushAsync();
    }

    private async Task SinkAsync(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        long received = 0;
        try
        {
            for (ReadResult read = default; !read.IsCompleted;)
            {
                read = await context.Request.BodyReader.ReadAsync();
                var before = received;
                received += read.Buffer.Length;
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (before < FileSize && received >= FileSize)
                    await _events.Writer.WriteAsync("underway");
            }
            await _events.Writer.WriteAsync("completed");
        }
        catch (IOException)
        {
            await _events.Writer.WriteAsync("aborted");
        }
    }

    private async Task SpringAsync(HttpContext context)
    {
        var block = new byte[64 * 1024];
        for (var sent = 0L; !context.RequestAborted.IsCancellationRequested; sent += block.Length)
        {
            if (sent == FileSize)
                await _events.Writer.WriteAsync("underway");
            context.Response.BodyWriter.Write(block);
            await context.Response.BodyWriter.FlushAsync();
        }
        await _events.Writer.WriteAsync("aborted");
    }
}
