// Notes how a client's certificate was judged, for applications that ask: in the callback itself, since the chain is gone after it. Set in
// the options of an endpoint by Hosting; called by SslStream during a handshake, on whatever thread that is.
using System.Net.Security;

namespace Asgi.Server.Connections;

internal static class ClientCertificates
{
    /// <summary>
    /// A callback for options of any number of connections, which notes chain and errors of each, and then judges as
    /// <paramref name="judge"/>, or takes only what has no error.
    /// </summary>
    public static RemoteCertificateValidationCallback Noting(RemoteCertificateValidationCallback? judge) =>
        (sender, certificate, chain, errors) =>
        {
            if (certificate is not null && sender is TlsStream stream)
            {
                stream.Info.Judged(chain, errors);
            }

            return judge?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        };
}
