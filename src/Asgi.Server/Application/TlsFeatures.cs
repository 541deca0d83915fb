// The features of a connection's TLS, as ASP.NET knows them. One per connection, made when somebody asks; any thread.
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Application;

internal sealed class TlsFeatures : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature, ISslStreamFeature
{
    private readonly ITlsInfo _info;

    private TlsFeatures(ITlsInfo info) => _info = info;

    /// <summary>The feature of a type, if it is one of TLS and the connection has it.</summary>
    public static object? Get(Type key, IConnectionInfo connection)
    {
        if (!IsKey(key) || connection.Tls is not { } info)
        {
            return null;
        }

        return key == typeof(SslStream) ? info.Stream : Of(info);
    }

    /// <summary>Sets all of them.</summary>
    public static void Set(IFeatureCollection features, ITlsInfo info)
    {
        var made = Of(info);
        features.Set<ITlsConnectionFeature>(made);
        features.Set<ITlsHandshakeFeature>(made);
        features.Set<ITlsApplicationProtocolFeature>(made);
        features.Set<ISslStreamFeature>(made);
        features.Set(info.Stream);
    }

    X509Certificate2? ITlsConnectionFeature.ClientCertificate
    {
        get => _info.ClientCertificate;
        set => _info.ClientCertificate = value;
    }

    SslProtocols ITlsHandshakeFeature.Protocol => _info.Protocol;

    TlsCipherSuite? ITlsHandshakeFeature.NegotiatedCipherSuite => _info.CipherSuite;

    string ITlsHandshakeFeature.HostName => _info.HostName;

#pragma warning disable SYSLIB0058 // Of the interface, which others read.
    CipherAlgorithmType ITlsHandshakeFeature.CipherAlgorithm => OfStream(static stream => stream.CipherAlgorithm);

    int ITlsHandshakeFeature.CipherStrength => OfStream(static stream => stream.CipherStrength);

    HashAlgorithmType ITlsHandshakeFeature.HashAlgorithm => OfStream(static stream => stream.HashAlgorithm);

    int ITlsHandshakeFeature.HashStrength => OfStream(static stream => stream.HashStrength);

    ExchangeAlgorithmType ITlsHandshakeFeature.KeyExchangeAlgorithm => OfStream(static stream => stream.KeyExchangeAlgorithm);

    int ITlsHandshakeFeature.KeyExchangeStrength => OfStream(static stream => stream.KeyExchangeStrength);
#pragma warning restore SYSLIB0058

    ReadOnlyMemory<byte> ITlsApplicationProtocolFeature.ApplicationProtocol => _info.ApplicationProtocol.Protocol;

    SslStream ISslStreamFeature.SslStream => _info.Stream;

    Task<X509Certificate2?> ITlsConnectionFeature.GetClientCertificateAsync(CancellationToken cancellationToken) =>
        _info.GetClientCertificateAsync(cancellationToken);

    // Two threads may make two at once: all that they know is the connection's.
    private static TlsFeatures Of(ITlsInfo info)
    {
        if (info.Features is not TlsFeatures made)
        {
            info.Features = made = new TlsFeatures(info);
        }

        return made;
    }

    private static bool IsKey(Type key) =>
        key == typeof(ITlsConnectionFeature)
        || key == typeof(ITlsHandshakeFeature)
        || key == typeof(ITlsApplicationProtocolFeature)
        || key == typeof(ISslStreamFeature)
        || key == typeof(SslStream);

    // Nothing, before the handshake is over.
    private T OfStream<T>(Func<SslStream, T> get)
        where T : struct => _info.Protocol == SslProtocols.None ? default : get(_info.Stream);
}
