// A client with TLS on the simulated loop: the framework's SslStream over a simulated connection. Its reads run the loop until there is
// something to read, so that everything happens on the test's thread.

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

internal sealed class TlsClient : IDisposable
{
    private readonly SimulatedServer _server;

    public TlsClient(SimulatedServer server, Action<SslClientAuthenticationOptions>? configure = null, bool spins = false)
    {
        _server = server;
        Raw = server.Connect();
        Wire = new ClientWire(server, Raw, spins);
        Stream = new SslStream(Wire);
        Options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        configure?.Invoke(Options);
    }

    public SimulatedClient Raw { get; }

    public ClientWire Wire { get; }

    public SslStream Stream { get; }

    public SslClientAuthenticationOptions Options { get; }

    /// <summary>A client whose handshake is made.</summary>
    public static TlsClient Connect(
        SimulatedServer server, Action<SslClientAuthenticationOptions>? configure = null, SslProtocols? version = null, bool spins = false)
    {
        var client = new TlsClient(server, configure, spins);
        client.Options.EnabledSslProtocols = version ?? SslProtocols.None;
        client.Handshake();
        return client;
    }

    public void Handshake() => Stream.AuthenticateAsClient(Options);

    /// <summary>Sends each character as the byte of the same number, encrypted.</summary>
    public void Send(string text) => Stream.Write(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends, and reads so many bytes of the answer.</summary>
    public string Read(int length)
    {
        var bytes = new byte[length];
        Stream.ReadExactly(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    /// <summary>Everything to close_notify or FIN.</summary>
    public string ReadToEnd()
    {
        var text = new StringBuilder();
        var bytes = new byte[100_000];
        while (Stream.Read(bytes) is var read and > 0)
            text.Append(Encoding.Latin1.GetString(bytes, 0, read));
        return text.ToString();
    }

    /// <summary>Sends a request, and takes the response to it, by its framing.</summary>
    public RawResponseText Get(string request)
    {
        Send(request);
        return ReadResponse();
    }

    public RawResponseText ReadResponse()
    {
        var text = "";
        var bytes = new byte[1];
        while (!text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (Stream.Read(bytes) == 0)
                throw new EndOfStreamException($"The response ends: {text}");
            text += (char)bytes[0];
        }

        const string Length = "Content-Length: ";
        var at = text.IndexOf(Length, StringComparison.Ordinal);
        var count = at < 0 ? 0 : int.Parse(text[(at + Length.Length)..text.IndexOf('\r', at)]);
        return new RawResponseText(text, Read(count));
    }

    /// <summary>Says close_notify.</summary>
    public void ShutDown() => Stream.ShutdownAsync().GetAwaiter().GetResult();

    public void Dispose() => Stream.Dispose();

    internal sealed record RawResponseText(string Head, string Content)
    {
        public int Status => int.Parse(Head.AsSpan(9, 3));
    }

    /// <summary>The simulated connection as a stream.</summary>
    internal sealed class ClientWire(SimulatedServer server, SimulatedClient client, bool spins) : Stream
    {
        /// <summary>Bytes a write brings to the server at a time; in between its loop runs.</summary>
        public int SegmentLength { get; set; } = int.MaxValue;

        /// <summary>Writes that go out; the rest is kept, for a test to send when it likes.</summary>
        public int WritesMax { get; set; } = int.MaxValue;

        /// <summary>What was not sent.</summary>
        public MemoryStream Held { get; } = new();

        /// <summary>Called after each write.</summary>
        public Action? OnWritten { get; set; }

        /// <summary>Everything received from the server, as it came.</summary>
        public MemoryStream Seen { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (count == 0)
                return 0;
            var wait = new SpinWait();
            while (client.ReceivedLength == 0)
            {
                if (client.End == ConnectionEnd.Fin)
                    return 0;
                if (client.End == ConnectionEnd.Reset)
                    throw new IOException("reset");
                server.Tick();
                if (server.Backend.IsIdle && client is { ReceivedLength: 0, End: ConnectionEnd.None })
                {
                    if (!spins)
                        throw new InvalidOperationException("The client would wait for ever.");
                    wait.SpinOnce(sleep1Threshold: -1);
                }
            }

            var read = client.Take(buffer.AsSpan(offset, count));
            Seen.Write(buffer, offset, read);
            return read;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (WritesMax-- <= 0)
            {
                Held.Write(buffer, offset, count);
                return;
            }

            for (var sent = 0; sent < count;)
            {
                var length = Math.Min(SegmentLength, count - sent);
                client.Send(buffer.AsSpan(offset + sent, length));
                sent += length;
                if (sent < count)
                    server.Run();
            }

            OnWritten?.Invoke();
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
