// What a request over TLS allocates on the thread of its loop, the framework's own part included.

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class TlsTests
{
    [OptimizedTheory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void A_request_allocates_nothing(SslProtocols version)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificates.Ecdsa, null, offline: true),
            EnabledSslProtocols = version,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        using var server = new SimulatedServer(
            _ => new PlaintextApplication(),
            logMinimum: LogLevel.Warning,
            before: http =>
            {
                var rules = new TlsRules { Choice = () => new TlsChoice(options), Next = (connection, _) => http(connection) };
                return connection => new TlsDriver(connection, rules);
            });
        var wire = new ClientWire(server);
        using var client = new SslStream(wire);
        client.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
        });
        var request = Messages.Bytes(Messages.Wrk);
        var response = new byte[1000];
        var allocated = new long[AllocationBed.RequestCount];
        for (var i = -AllocationBed.WarmUpCount; i < allocated.Length; i++)
        {
            client.Write(request);
            var before = GC.GetAllocatedBytesForCurrentThread();
            server.Run();
            var during = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.InRange(client.Read(response), 50, response.Length - 1);
            if (i >= 0)
                allocated[i] = during;
        }

        Assert.Equal(0, PerRequest.Of(allocated));
    }

    /// <summary>The client's end, which runs the loop where it would wait.</summary>
    private sealed class ClientWire(SimulatedServer server) : Stream
    {
        private readonly SimulatedClient _client = server.Connect();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_client.ReceivedLength == 0 && count > 0)
                server.Run();
            return _client.Take(buffer.AsSpan(offset, count));
        }

        public override void Write(byte[] buffer, int offset, int count) => _client.Send(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
