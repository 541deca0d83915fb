// What an application may know of the TLS of a connection. Implemented in Connections/Tls; it is there before the handshake is over, and
// then says little. Any thread.
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Asgi;

internal interface ITlsInfo
{
    /// <summary>The framework's stream, for what it knows; its bytes are the server's.</summary>
    SslStream Stream { get; }

    /// <summary>The version agreed on; None before the handshake is over.</summary>
    SslProtocols Protocol { get; }

    /// <summary>The cipher suite agreed on; null before the handshake is over.</summary>
    TlsCipherSuite? CipherSuite { get; }

    /// <summary>The protocol agreed on by ALPN; empty when the client has named none.</summary>
    SslApplicationProtocol ApplicationProtocol { get; }

    /// <summary>The server's name as its client gave it (SNI); empty when it gave none.</summary>
    string HostName { get; }

    /// <summary>The certificate that was presented to the client; null before the handshake is over.</summary>
    X509Certificate2? ServerCertificate { get; }

    /// <summary>The client's certificate; null when it has presented none. An application may put another in its place.</summary>
    X509Certificate2? ClientCertificate { get; set; }

    /// <summary>The client's certificate and those that lead from it to a root, in DER, as validated; empty without one.</summary>
    IReadOnlyList<byte[]> ClientCertificateChain { get; }

    /// <summary>What was wrong with the client's certificate, which was taken all the same; None when nothing was.</summary>
    SslPolicyErrors ClientCertificateErrors { get; }

    /// <summary>What the application's layer has made of this, for the next who asks there.</summary>
    object? Features { get; set; }

    /// <summary>
    /// The client's certificate; where the endpoint asks for it only when it is needed, and the protocol is HTTP/1, the client is asked.
    /// </summary>
    /// <exception cref="InvalidOperationException">Content of a request waits to be read: the client cannot be asked now.</exception>
    Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken);
}
