// HttpClients for what a server offers: they speak that and nothing else, trust the tests' authority, and count their connections. The
// callback runs on the thread pool.

using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Asgi.Server.Clients.Tests;

internal sealed class WebClient : IDisposable
{
    private int _connections;

    public WebClient(AppServer server, Offer offer)
    {
        Handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = false,
            MaxConnectionsPerServer = 64,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = ServedCertificate.ChainPolicy },
            ConnectCallback = ConnectAsync,
        };
        Http = new HttpClient(Handler)
        {
            BaseAddress = server.Address,
            DefaultRequestVersion = offer.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = ClientProcess.Patience,
        };
    }

    public SocketsHttpHandler Handler { get; }

    public HttpClient Http { get; }

    /// <summary>How many were opened so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public Task<string> GetAsync(string path) => Http.GetStringAsync(new Uri(path, UriKind.Relative));

    /// <summary>Sends a request and returns when its head has come.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content = null, CancellationToken cancel = default)
    {
        var request = new HttpRequestMessage(method, path)
        {
            Content = content,
            Version = Http.DefaultRequestVersion,
            VersionPolicy = Http.DefaultVersionPolicy,
        };
        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    public void Dispose() => Http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        Interlocked.Increment(ref _connections);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
