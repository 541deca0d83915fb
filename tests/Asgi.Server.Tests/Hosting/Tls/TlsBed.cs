// A server with TLS on a free port of 127.0.0.1, and a client that says what it was shown, for one test.

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting.Tls;

internal sealed class TlsBed : IAsyncDisposable
{
    /// <summary>Nobody's store and nobody's folder: what the machine has must not decide a test.</summary>
    public static readonly CertificatePlaces NoPlaces = new(() => null, () => [], TimeProvider.System);

    private TlsBed(AsgiServer server) => Server = server;

    public LogSink Log { get; private init; } = new();

    public AsgiServer Server { get; }

    /// <summary>The content of responses.</summary>
    public Func<HttpExchange, string> Answer { get; set; } = exchange => $"{exchange.Scope.Scheme} {exchange.Scope.HttpVersion}";

    public IPEndPoint EndPoint => Addresses.EndPointOf(Server.GetAddresses().Addresses.Last());

    /// <summary>One endpoint in code.</summary>
    public static Task<TlsBed> ListenAsync(Action<ListenOptions> listen, Action<AsgiServerOptions>? configure = null) =>
        StartAsync(options =>
        {
            configure?.Invoke(options);
            options.Listen(IPAddress.Loopback, 0, listen);
        });

    public static async Task<TlsBed> StartAsync(Action<AsgiServerOptions> configure, params string[] addresses)
    {
        var options = new AsgiServerOptions { LoopCount = 1, CertificatePlaces = NoPlaces };
        configure(options);
        var log = new LogSink();
        var logging = LoggerFactory.Create(logging => logging.AddProvider(log));
        var bed = new TlsBed(new AsgiServer(Options.Create(options), logging)) { Log = log };
        foreach (var address in addresses)
            bed.Server.GetAddresses().Addresses.Add(address);
        try
        {
            await bed.Server.StartAsync(new NativeApplication(bed.AnswerAsync), CancellationToken.None);
        }
        catch
        {
            await bed.DisposeAsync();
            throw;
        }

        return bed;
    }

    public Task<TlsClient> ConnectAsync(string name = "localhost", Action<SslClientAuthenticationOptions>? configure = null) =>
        TlsClient.ConnectAsync(EndPoint, name, configure);

    /// <summary>The certificate that a client is shown, and that a request is answered behind it.</summary>
    public async Task<string> ThumbprintAsync(string name = "localhost")
    {
        await using var client = await ConnectAsync(name);
        Assert.Equal("https 1.1", await client.GetAsync());
        return client.Certificate!.Thumbprint;
    }

    /// <summary>One look at the files of certificates.</summary>
    public Task LookAsync() => Server.Certificates!.CheckAsync().WaitAsync(AppHost.Patience);

    /// <summary>Whether a handshake or the first request after it fails.</summary>
    public async Task<bool> RefusesAsync(string name = "localhost", Action<SslClientAuthenticationOptions>? configure = null)
    {
        try
        {
            await using var client = await ConnectAsync(name, configure);
            return await client.GetAsync() is null;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(AppHost.Patience);
        Log.Dispose();
    }

    private ValueTask AnswerAsync(HttpExchange exchange)
    {
        exchange.Send(new ResponseStart(200));
        return exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(Answer(exchange))));
    }
}

internal sealed class TlsClient : IAsyncDisposable
{
    private readonly TcpClient _tcp;

    private TlsClient(TcpClient tcp, SslStream stream)
    {
        _tcp = tcp;
        Stream = stream;
    }

    public SslStream Stream { get; }

    public X509Certificate2? Certificate => Stream.RemoteCertificate as X509Certificate2;

    public static async Task<TlsClient> ConnectAsync(
        IPEndPoint endPoint, string name, Action<SslClientAuthenticationOptions>? configure = null)
    {
        var tcp = new TcpClient(endPoint.AddressFamily) { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(endPoint).WaitAsync(AppHost.Patience);
            var stream = new SslStream(tcp.GetStream());
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = name,

                // The client's sessions are the process's: one of another test would decide what is sent in this one.
                AllowTlsResume = false,
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
            };
            configure?.Invoke(options);
            await stream.AuthenticateAsClientAsync(options).WaitAsync(AppHost.Patience);
            return new TlsClient(tcp, stream);
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>One request, and the content of its response; null when the connection ends before it.</summary>
    public async Task<string?> GetAsync()
    {
        await Stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray()).AsTask().WaitAsync(AppHost.Patience);
        return await ReadResponseAsync();
    }

    /// <summary>The content of a response that has a length and stands in few reads; null when there is none.</summary>
    public async Task<string?> ReadResponseAsync()
    {
        var text = "";
        var buffer = new byte[4096];
        while (true)
        {
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head >= 0 && LengthOf(text[..head]) is { } length && text.Length >= head + 4 + length)
                return text[(head + 4)..];
            var read = await Stream.ReadAsync(buffer).AsTask().WaitAsync(AppHost.Patience);
            if (read == 0)
                return null;
            text += Encoding.Latin1.GetString(buffer, 0, read);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        _tcp.Dispose();
    }

    private static int? LengthOf(string head) => head.Split("\r\n")
        .Where(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
        .Select(line => (int?)int.Parse(line[16..], System.Globalization.CultureInfo.InvariantCulture))
        .FirstOrDefault();
}
