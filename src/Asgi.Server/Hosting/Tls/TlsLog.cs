// What an operator is told of certificates. On the host's threads, when the server starts, and on the pool's when a file has changed.
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

internal sealed partial class TlsLog(ILogger logger)
{
    /// <summary>Tells of a certificate that browsers will not take.</summary>
    public void Loaded(ListenOptions listen, X509Certificate2 certificate)
    {
        if (!CertificateRules.HasAlternativeName(certificate))
        {
            NoAlternativeName(logger, listen.Display, CertificateRules.Show(certificate));
        }
    }

    public void Reloaded(ListenOptions listen, IEnumerable<string> files) =>
        CertificateReloaded(logger, listen.Display, string.Join(", ", files));

    public void ReloadFailed(ListenOptions listen, Exception exception) =>
        CertificateReloadFailed(logger, listen.Display, exception.Message, exception);

    public void DevelopmentFileUnusable(string path, string reason) => DevelopmentCertificateUnusable(logger, path, reason);

    [LoggerMessage(223, LogLevel.Warning,
        "The development certificate {Path} is passed over. {Reason}",
        EventName = "DevelopmentCertificateUnusable")]
    private static partial void DevelopmentCertificateUnusable(ILogger logger, string path, string reason);

    [LoggerMessage(220, LogLevel.Information,
        "The certificate of {Endpoint} is loaded again; new connections get it. Files: {Files}.",
        EventName = "CertificateReloaded")]
    private static partial void CertificateReloaded(ILogger logger, string endpoint, string files);

    [LoggerMessage(221, LogLevel.Error,
        "The changed certificate of {Endpoint} cannot be used; it stays as it was. {Reason}",
        EventName = "CertificateReloadFailed")]
    private static partial void CertificateReloadFailed(ILogger logger, string endpoint, string reason, Exception exception);

    [LoggerMessage(222, LogLevel.Information,
        "The certificate of {Endpoint} has no subject alternative name, without which many clients refuse it: {Certificate}.",
        EventName = "NoSubjectAlternativeName")]
    private static partial void NoAlternativeName(ILogger logger, string endpoint, string certificate);
}
