// Application code in handshakes: selectors that wait and that block, callbacks that throw, and clients that leave meanwhile.

using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class ApplicationCodeTests
{
    public static TheoryData<SslProtocols> Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_selector_knows_the_name_and_chooses(SslProtocols version)
    {
        var names = new List<string>();
        using var server = Serve((connection, hello, _) =>
        {
            Assert.NotNull(connection.Tls);
            names.Add(hello.ServerName);
            return new(new TlsChoice(TlsBed.Options(TestCertificates.Rsa)));
        });
        using var client = TlsClient.Connect(server, options => options.TargetHost = "named.test", version);

        Assert.Equal("/", client.Get(Apps.Get).Content);
        Assert.Equal(["named.test"], names);
        Assert.Equal(TestCertificates.Rsa.Thumbprint, client.Stream.RemoteCertificate!.GetCertHashString());
        server.DemandNothingLeft();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_selector_may_go_on_on_another_thread(SslProtocols version)
    {
        var gate = new TaskCompletionSource<TlsChoice>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isAsked = false;
        using var server = Serve((_, _, _) =>
        {
            isAsked = true;
            return new(gate.Task);
        });
        using var client = new TlsClient(server, spins: true);
        client.Options.EnabledSslProtocols = version;
        var answering = new Thread(() => gate.SetResult(new TlsChoice(TlsBed.Options())));
        client.Wire.OnWritten = () =>
        {
            server.Run();
            Assert.True(isAsked);

            // The loop goes on meanwhile.
            Assert.NotEqual("", server.Connect("GET / HTTP/1.1\r\n\r\n").Received);
            client.Wire.OnWritten = null;
            answering.Start();
        };
        client.Handshake();
        answering.Join();

        Assert.Equal("/", client.Get(Apps.Get).Content);
        Assert.Equal("/", client.Get(Apps.Get).Content);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_selector_that_throws_fails_its_handshake()
    {
        using var server = Serve((_, _, _) => throw new InvalidDataException("no"));
        using var client = new TlsClient(server, spins: true);

        Assert.ThrowsAny<Exception>(client.Handshake);
        server.RunUntil(() => server.ConnectionCount == 0 || client.Raw.End != ConnectionEnd.None);
        Assert.Contains(server.Log.Entries, entry => entry.Category == "Asgi.Server.Https" && entry.Exception is InvalidDataException);
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_selector_is_told_when_the_time_is_over()
    {
        var isCancelled = false;
        using var server = Serve(async (_, _, cancellationToken) =>
        {
            var ended = new TaskCompletionSource();
            using var registration = cancellationToken.Register(ended.SetResult);
            await ended.Task;
            isCancelled = true;
            cancellationToken.ThrowIfCancellationRequested();
            return default;
        });
        using var client = new TlsClient(server);
        client.Wire.WritesMax = 1;
        Assert.Throws<InvalidOperationException>(client.Handshake);
        server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault - 1);
        Assert.False(isCancelled);
        server.Advance(Loops.TimerWheel.StepMilliseconds);

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        server.RunUntil(() => server.ConnectionCount == 0);
        Assert.True(isCancelled);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_leaves_while_a_selector_waits_is_let_go_when_it_has_ended()
    {
        var gate = new TaskCompletionSource<TlsChoice>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var server = Serve((_, _, _) => new(gate.Task));
        using var client = new TlsClient(server);
        client.Wire.WritesMax = 1;
        Assert.Throws<InvalidOperationException>(client.Handshake);
        server.Run();
        client.Raw.Reset();
        server.Run();
        Assert.Equal(1, server.ConnectionCount);

        gate.SetResult(new TlsChoice(TlsBed.Options()));
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Callbacks_may_block_their_thread_while_the_loop_goes_on(SslProtocols version) => Seeds.Run(25, seed =>
    {
        var random = new Random(seed);
        using var stage = new HandOffStage(random, handOffChance: 0.7);
        var options = TlsBed.Options(protocols: version);
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            stage.Point();
            return TestCertificates.IsOurs(certificate);
        };
        using var server = TlsBed.Serve(
            Apps.Path,
            rules => rules with
            {
                Choice = null,
                Select = (_, _, _) =>
                {
                    stage.Point();
                    return new(new TlsChoice(options));
                },
            },
            seed: seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 300),
            spares: stage);
        var clients = Enumerable.Range(0, 3).Select(_ => new PlayedClient(server, version)).ToArray();
        stage.Play(server, () =>
        {
            foreach (var client in clients)
                client.Step();
        });

        Assert.All(clients, client => Assert.EndsWith("\r\n\r\n/", client.Response, StringComparison.Ordinal));
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_first_record_is_shown_before_the_handshake()
    {
        byte[]? shown = null;
        using var server = TlsBed.Serve(Apps.Path, rules => rules with
        {
            ClientHello = (connection, bytes) =>
            {
                Assert.Equal(SslProtocols.None, connection.Tls!.Protocol);
                shown = bytes.ToArray();
            },
        });
        using var client = TlsClient.Connect(server);

        Assert.Equal("/", client.Get(Apps.Get).Content);
        Assert.Equal(TlsDriver.HandshakeRecord, shown![0]);
        Assert.Equal(shown.Length, TlsInput.HeaderLength + (shown[3] << 8) + shown[4]);
        Assert.Equal(1, shown[5]);
    }

    [Fact]
    public void A_callback_for_the_first_record_that_throws_ends_the_connection()
    {
        using var server = TlsBed.Serve(Apps.Path, rules => rules with { ClientHello = (_, _) => throw new InvalidDataException("no") });
        using var client = new TlsClient(server);

        Assert.ThrowsAny<Exception>(client.Handshake);
        Assert.Single(server.Log.Entries, entry => entry.Exception is InvalidDataException);
        server.DemandNothingLeft();
    }

    private static SimulatedServer Serve(Func<IConnectionInfo, SslClientHelloInfo, CancellationToken, ValueTask<TlsChoice>> select) =>
        TlsBed.Serve(Apps.Path, rules => rules with { Choice = null, Select = select });

    /// <summary>A client on a thread of its own, which a test lets go on when bytes have come for it.</summary>
    private sealed class PlayedClient : IDisposable
    {
        private readonly SimulatedClient _raw;
        private readonly AsyncWire _wire;
        private Task<string> _run = null!;

        public PlayedClient(SimulatedServer server, SslProtocols version)
        {
            _raw = server.Connect();
            _wire = new AsyncWire(_raw);
            SimulatedServer.OnLoop(() => _run = RunAsync(version));
        }

        public string Response => _run.IsCompletedSuccessfully ? _run.Result : $"not completed: {_run.Exception}";

        public void Step() => SimulatedServer.OnLoop(_wire.Step);

        public void Dispose() => _wire.Dispose();

        private async Task<string> RunAsync(SslProtocols version)
        {
            using var stream = new SslStream(_wire);
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = version,
                ClientCertificates = [TestCertificates.Client],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
            });
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync();
        }
    }

    /// <summary>The simulated connection as a stream whose reads complete when the test steps it.</summary>
    private sealed class AsyncWire(SimulatedClient raw) : Stream
    {
        private TaskCompletionSource<int>? _waiting;
        private Memory<byte> _target;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Step()
        {
            if (_waiting is { } waiting && (raw.ReceivedLength > 0 || raw.End != ConnectionEnd.None))
            {
                _waiting = null;
                waiting.SetResult(raw.Take(_target.Span));
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length == 0)
                return new(0);
            _target = buffer;
            _waiting = new TaskCompletionSource<int>();
            return new(_waiting.Task);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            raw.Send(buffer.Span);
            return default;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => raw.Send(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
