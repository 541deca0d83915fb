// Notes how a client's certificate was judged, for applications that ask: in the callback itself, since the chain is gone after it. Set in
// the options of an endpoint by Hosting; called by SslStream during a handshake, on whatever thread that is.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Connections;

internal static class ClientCertificates
{
    /// <summary>
    /// Has options note what they judge, if they may ask a client for its certificate; once, however often it is called with the same ones.
    /// </summary>
    public static void Note(SslServerAuthenticationOptions options)
    {
        var judge = options.RemoteCertificateValidationCallback;
        if ((judge is not null || options.ClientCertificateRequired) && judge?.Target is not NotingJudge)
        {
            options.RemoteCertificateValidationCallback = Noting(judge);
        }
    }

    /// <summary>
    /// A callback for options of any number of connections, which notes chain and errors of each, and then judges as
    /// <paramref name="judge"/>, or takes only what has no error.
    /// </summary>
    public static RemoteCertificateValidationCallback Noting(RemoteCertificateValidationCallback? judge) => new NotingJudge(judge).Judge;

    private sealed class NotingJudge(RemoteCertificateValidationCallback? judge)
    {
        public bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is not null && sender is TlsStream stream)
            {
                stream.Info.Judged(chain, errors);
            }

            return judge?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        }
    }
}
