// A unary call as gRPC frames it, without a library, so that nothing but the server is measured: a message of bytes comes behind its prefix
// of five, and goes back with its status as a trailer.

using System.Buffers;

internal static class GrpcRoute
{
    public static void MapGrpc(this WebApplication app) => app.MapPost("/grpc", async context =>
    {
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAsync();
        while (!read.IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync();
        }

        var message = read.Buffer;
        context.Response.ContentType = "application/grpc";
        foreach (var block in message)
            context.Response.BodyWriter.Write(block.Span);
        reader.AdvanceTo(message.End);
        await context.Response.BodyWriter.FlushAsync();
        context.Response.AppendTrailer("grpc-status", "0");
    });
}
