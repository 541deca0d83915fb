// What tests of connection middleware on the simulated loop share: middleware, and pipes that it may put in the place of the connection's.

using System.IO.Pipelines;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Tests.Connections;

internal static class MiddlewareBed
{
    public static readonly Func<ConnectionDelegate, ConnectionDelegate> PassOn = next => next.Invoke;

    /// <summary>Middleware that changes every byte, both ways, with streams as TLS does.</summary>
    public static readonly Func<ConnectionDelegate, ConnectionDelegate> Xor = next => async context =>
    {
        var before = context.Transport;
        context.Transport = new XorPipe(before);
        await next(context);
        context.Transport = before;
    };

    public static async Task Echo(ConnectionContext context)
    {
        while (true)
        {
            var read = await context.Transport.Input.ReadAsync();
            foreach (var part in read.Buffer)
                await context.Transport.Output.WriteAsync(part);
            context.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    public static SimulatedServer Serve(
        Func<ConnectionDelegate, ConnectionDelegate> middleware,
        Func<HttpExchange, ValueTask> app,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null) =>
        new(app, seed, limits, conditions, before: Before(middleware));

    public static Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>> Before(
        Func<ConnectionDelegate, ConnectionDelegate> middleware)
    {
        var application = new ConnectionMiddleware(middleware);
        return http => connection => new PipedDriver(connection, application, http);
    }

    // Middleware whose connection is aborted ends on the pool.
    public static void DemandNothingLeft(SimulatedServer server)
    {
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    public static string Text(SimulatedClient client, bool isXor) => isXor ? XorOf(client.Received) : client.Received;

    public static string XorOf(string text) => string.Concat(text.Select(c => (char)(c ^ 0x55)));

    public sealed class FailingPipe(IDuplexPipe inner, bool isOutput) : IDuplexPipe
    {
        public PipeReader Input { get; } = isOutput ? inner.Input : PipeReader.Create(new FailingStream());

        public PipeWriter Output { get; } = isOutput ? PipeWriter.Create(new FailingStream()) : inner.Output;
    }

    public sealed class FailingStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new InvalidDataException("a transport that fails");

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new InvalidDataException("a transport that fails");
    }

    public sealed class XorPipe(IDuplexPipe inner) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(new XorStream(inner.Input.AsStream()));

        public PipeWriter Output { get; } = PipeWriter.Create(new XorStream(inner.Output.AsStream()));
    }

    public sealed class XorStream(Stream inner) : Stream
    {
        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => false;

        public override bool CanWrite => inner.CanWrite;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = await inner.ReadAsync(buffer, cancellationToken);
            foreach (ref var b in buffer.Span[..length])
                b ^= 0x55;
            return length;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await inner.WriteAsync(buffer.ToArray().Select(b => (byte)(b ^ 0x55)).ToArray(), cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
