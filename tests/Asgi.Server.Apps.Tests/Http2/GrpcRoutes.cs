// A gRPC service without a library: messages of bytes behind their prefix of five, a status in the trailers (gRPC over HTTP/2). It
// runs where its server calls it.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Apps.Tests.Http2;

internal static class GrpcRoutes
{
    private const int PrefixLength = 5;

    public static Task<AppServer> StartAsync(ServerKind kind, Offer offer) => AppServer.StartAsync(
        kind, Map, builder => builder.Services.AddSingleton<WebRoutes.Heard>(), shutdownTimeout: TimeSpan.FromMinutes(5), offer);

    private static void Map(WebApplication application)
    {
        application.MapPost("/test.Tester/Echo", EchoAsync);
        application.MapPost("/test.Tester/Fail", Fail);
        application.MapPost("/test.Tester/FailLate", FailLateAsync);
        application.MapPost("/test.Tester/Count", CountAsync);
        application.MapPost("/test.Tester/Sum", SumAsync);
        application.MapPost("/test.Tester/Double", DoubleAsync);
        application.MapPost("/test.Tester/Wait", (HttpContext context, WebRoutes.Heard heard) => WaitAsync(context, heard));
        application.MapPost("/test.Tester/Heard", (HttpContext context, WebRoutes.Heard heard) => HeardAsync(context, heard));
    }

    // One message there and back; metadata comes back in the head and in the trailers.
    private static async Task EchoAsync(HttpContext context)
    {
        Begin(context);
        context.Response.Headers["x-head"] = context.Request.Headers["x-said"];
        var message = await ReadAsync(context.Request.BodyReader);
        Assert.Null(await ReadAsync(context.Request.BodyReader));
        await WriteAsync(context, message!);
        context.Response.AppendTrailer("x-trailer", context.Request.Headers["x-said"]);
        End(context);
    }

    // Trailers only: the head is the status, and the stream ends with it.
    private static void Fail(HttpContext context)
    {
        Begin(context);
        context.Response.Headers["grpc-status"] = "3";
        context.Response.Headers["grpc-message"] = "no%20%C3%BC";
    }

    private static async Task FailLateAsync(HttpContext context)
    {
        Begin(context);
        await WriteAsync(context, "one"u8.ToArray());
        End(context, 13, "after one");
    }

    private static async Task CountAsync(HttpContext context)
    {
        Begin(context);
        var count = int.Parse(Encoding.ASCII.GetString((await ReadAsync(context.Request.BodyReader))!));
        for (var item = 0; item < count; item++)
            await WriteAsync(context, Encoding.ASCII.GetBytes($"{item}"));
        End(context);
    }

    private static async Task SumAsync(HttpContext context)
    {
        Begin(context);
        var sum = 0;
        while (await ReadAsync(context.Request.BodyReader) is { } item)
            sum += int.Parse(Encoding.ASCII.GetString(item));
        await WriteAsync(context, Encoding.ASCII.GetBytes($"{sum}"));
        End(context);
    }

    private static async Task DoubleAsync(HttpContext context)
    {
        Begin(context);
        await context.Response.Body.FlushAsync();
        while (await ReadAsync(context.Request.BodyReader) is { } item)
            await WriteAsync(context, Encoding.ASCII.GetBytes($"{int.Parse(Encoding.ASCII.GetString(item)) * 2}"));
        End(context);
    }

    private static async Task WaitAsync(HttpContext context, WebRoutes.Heard heard)
    {
        Begin(context);
        heard.Say(context.Request.Headers.ContainsKey("grpc-timeout") ? "waits for a deadline" : "waits");
        await heard.AbortAsync(context);
    }

    // Answers when the app has heard the word.
    private static async Task HeardAsync(HttpContext context, WebRoutes.Heard heard)
    {
        Begin(context);
        var word = (await ReadAsync(context.Request.BodyReader))!;
        await heard.WaitAsync(Encoding.ASCII.GetString(word));
        await WriteAsync(context, word);
        End(context);
    }

    private static void Begin(HttpContext context)
    {
        Assert.Equal("HTTP/2", context.Request.Protocol);
        Assert.Equal("trailers", context.Request.Headers.TE);
        Assert.Equal("application/grpc", context.Request.ContentType);
        context.Response.ContentType = "application/grpc";
    }

    private static void End(HttpContext context, int status = 0, string? message = null)
    {
        context.Response.AppendTrailer("grpc-status", $"{status}");
        if (message is not null)
            context.Response.AppendTrailer("grpc-message", message);
    }

    // Null at the end of the content.
    private static async Task<byte[]?> ReadAsync(PipeReader reader)
    {
        while (true)
        {
            var read = await reader.ReadAsync();
            var buffer = read.Buffer;
            if (buffer.Length >= PrefixLength && buffer.Length >= PrefixLength + Length(buffer))
            {
                var message = buffer.Slice(PrefixLength, Length(buffer));
                var bytes = message.ToArray();
                reader.AdvanceTo(message.End);
                return bytes;
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                Assert.True(buffer.IsEmpty, "the content ends within a message");
                return null;
            }
        }
    }

    private static uint Length(ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        Assert.Equal(0, prefix[0]); // not compressed
        return BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
    }

    private static async Task WriteAsync(HttpContext context, byte[] message)
    {
        var writer = context.Response.BodyWriter;
        var prefix = writer.GetSpan(PrefixLength);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], message.Length);
        writer.Advance(PrefixLength);
        await writer.WriteAsync(message);
    }
}
