// What apps have set for all of Kestrel's https endpoints (ConfigureHttpsDefaults), where it is not public: an endpoint that is begun and
// given up is told. Read once, when the options are made, on the host's thread.
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Hosting;

internal static class KestrelHttpsDefaults
{
    /// <summary>The options as Kestrel's endpoints would begin with them; null where Kestrel does not say.</summary>
    public static HttpsConnectionAdapterOptions? Read(KestrelServerOptions kestrel)
    {
        if (kestrel.ApplicationServices is null)
        {
            return null;
        }

        // Its section is read by this server's own loader, or not at all.
        var loader = kestrel.ConfigurationLoader;
        kestrel.ConfigurationLoader = null;
        HttpsConnectionAdapterOptions? seen = null;
        try
        {
            kestrel.Listen(IPAddress.None, 0, listen => listen.UseHttps(options =>
            {
                seen = options;
                throw new GivenUpException();
            }));
        }
        catch (GivenUpException)
        {
            // Before it was added to Kestrel's.
        }
        catch (Exception)
        {
            // An app without Kestrel's services has no https endpoints of Kestrel's either; and what its endpoint defaults miss, of which
            // those of https come after, is missed where Kestrel would begin an endpoint.
        }
        finally
        {
            kestrel.ConfigurationLoader = loader;
        }

        return seen;
    }

    /// <summary>Takes over all of them.</summary>
    public static void Copy(HttpsConnectionAdapterOptions from, HttpsConnectionAdapterOptions to)
    {
        to.ServerCertificate = from.ServerCertificate;
        to.ServerCertificateChain = from.ServerCertificateChain;
        to.ServerCertificateSelector = from.ServerCertificateSelector;
        to.ClientCertificateMode = from.ClientCertificateMode;
        to.ClientCertificateValidation = from.ClientCertificateValidation;
        to.SslProtocols = from.SslProtocols;
        to.CheckCertificateRevocation = from.CheckCertificateRevocation;
        to.OnAuthenticate = from.OnAuthenticate;
        to.TlsClientHelloBytesCallback = from.TlsClientHelloBytesCallback;
        to.HandshakeTimeout = from.HandshakeTimeout;
    }

    private sealed class GivenUpException : Exception;
}
