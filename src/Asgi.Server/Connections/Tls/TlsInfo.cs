// What is known of the TLS of a connection, for applications. Written by the handshake, on whatever thread its callbacks are; read on any,
// by who was told of the connection after it.
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

[SuppressMessage("Design", "CA1001", Justification = "The stream is disposed by who ends it: the handshake that fails, or the transport.")]
internal sealed class TlsInfo : ITlsInfo
{
    private readonly Connection _connection;
    private readonly TlsStream _stream;
    private TlsTransport? _transport;
    private bool _isDelayedAllowed;
    private X509Certificate2? _clientCertificate;
    private Task<X509Certificate2?>? _asking;

    public TlsInfo(Connection connection, TlsWire wire)
    {
        _connection = connection;
        _stream = new TlsStream(wire, this);
    }

    public SslStream Stream => _stream;

    public SslProtocols Protocol { get; private set; }

    public TlsCipherSuite? CipherSuite { get; private set; }

    public SslApplicationProtocol ApplicationProtocol { get; private set; }

    public string HostName { get; private set; } = "";

    public X509Certificate2? ServerCertificate { get; private set; }

    public X509Certificate2? ClientCertificate
    {
        get => Volatile.Read(ref _clientCertificate);
        set => Volatile.Write(ref _clientCertificate, value);
    }

    public IReadOnlyList<byte[]> ClientCertificateChain { get; private set; } = [];

    public SslPolicyErrors ClientCertificateErrors { get; private set; }

    public object? Features { get; set; }

    public TlsStream TlsStream => _stream;

    /// <summary>How the handshake is made is known. Any thread, once.</summary>
    public void Chosen(in TlsChoice choice) => _isDelayedAllowed = choice.AllowsDelayedClientCertificate;

    /// <summary>The client has named the server. Where the callbacks are.</summary>
    public void Named(string hostName) => HostName = hostName;

    /// <summary>The handshake is over: what the stream knows is kept, since the stream may be gone before who asks.</summary>
    public void Established()
    {
        Protocol = _stream.SslProtocol;
        CipherSuite = _stream.NegotiatedCipherSuite;
        ApplicationProtocol = _stream.NegotiatedApplicationProtocol;
        HostName = _stream.TargetHostName;
        ServerCertificate = _stream.LocalCertificate as X509Certificate2;
        TakeClientCertificate();
    }

    /// <summary>From here on the client may be asked for its certificate.</summary>
    public void Start(TlsTransport transport) => _transport = transport;

    /// <summary>A client's certificate was judged. Where the callbacks are.</summary>
    public void Judged(X509Chain? chain, SslPolicyErrors errors)
    {
        // The certificates of the chain are disposed when the callback returns.
        ClientCertificateChain = chain is null ? [] : [.. chain.ChainElements.Select(static element => element.Certificate.RawData)];
        ClientCertificateErrors = errors;
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken)
    {
        // HTTP/2 forbids to ask (RFC 9113, section 9.2.3; RFC 8740), and a client that was asked once is not asked again.
        if (ClientCertificate is not null
            || !_isDelayedAllowed
            || _transport is not { } transport
            || ApplicationProtocol == SslApplicationProtocol.Http2)
        {
            return Task.FromResult(ClientCertificate);
        }

        if (Volatile.Read(ref _asking) is { } underWay)
        {
            return underWay.WaitAsync(cancellationToken);
        }

        var answered = new TaskCompletionSource<X509Certificate2?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _asking, answered.Task, null) is { } other)
        {
            return other.WaitAsync(cancellationToken);
        }

        _connection.Loop.Post(new Ask(transport, answered, this, cancellationToken));
        return answered.Task;
    }

    // One of the framework's own type: applications ask for it.
    private void TakeClientCertificate() => ClientCertificate = _stream.RemoteCertificate switch
    {
        null => null,
        X509Certificate2 certificate => certificate,
        var other => X509CertificateLoader.LoadCertificate(other.GetRawCertData()),
    };

    private sealed class Ask(
        TlsTransport transport, TaskCompletionSource<X509Certificate2?> answered, TlsInfo info, CancellationToken cancellationToken)
        : WorkItem
    {
        private CancellationTokenRegistration _cancellation;

        public override void Run()
        {
            transport.Negotiate(stream => NegotiateAsync(stream, cancellationToken), End);
            _cancellation = cancellationToken.UnsafeRegister(
                static asked => ((Ask)asked!).Loop.Post(new Cancel((Ask)asked)), this);
        }

        private Loop Loop => info._connection.Loop;

        private TlsTransport Transport => transport;

        [SupportedOSPlatformGuard("linux")]
        [SupportedOSPlatformGuard("windows")]
        [SupportedOSPlatformGuard("freebsd")]
        private static bool CanNegotiate => OperatingSystem.IsLinux() || OperatingSystem.IsWindows() || OperatingSystem.IsFreeBSD();

        private static Task NegotiateAsync(TlsStream stream, CancellationToken cancellationToken)
        {
            if (CanNegotiate)
            {
                return stream.NegotiateClientCertificateAsync(cancellationToken);
            }

            throw new PlatformNotSupportedException("On this system clients can be asked for their certificate in the handshake only.");
        }

        private void End(Exception? failure)
        {
            _cancellation.Unregister();
            if (failure is null)
            {
                info.TakeClientCertificate();
                answered.SetResult(info.ClientCertificate);
                return;
            }

            // Whether the connection is still of use cannot be told; another one is.
            info._connection.ShutDown(ConnectionEndReason.ResponseNoKeepAlive);
            if (cancellationToken.IsCancellationRequested)
            {
                answered.SetCanceled(cancellationToken);
            }
            else
            {
                answered.SetException(failure);
            }
        }

        private sealed class Cancel(Ask ask) : WorkItem
        {
            public override void Run() => ask.Transport.StopNegotiating();
        }
    }
}
