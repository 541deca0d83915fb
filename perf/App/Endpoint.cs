// The one endpoint, at a free port of the loopback, by --protocol: http1 (the default), h2c for HTTP/2 that the client knows beforehand,
// https for both versions over TLS. It is written as configuration, whose keys Kestrel and Asgi.Server share.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

internal static class Endpoint
{
    private const string Section = "Kestrel:Endpoints:Measured:";

    public static void Listen(WebApplicationBuilder builder)
    {
        string protocol = builder.Configuration["protocol"] ?? "http1";
        builder.Configuration[Section + "Url"] = protocol == "https" ? "https://127.0.0.1:0" : "http://127.0.0.1:0";
        builder.Configuration[Section + "Protocols"] = protocol switch
        {
            "http1" => "Http1",
            "h2c" => "Http2",
            "https" => "Http1AndHttp2",
            _ => throw new ArgumentException("--protocol is http1, h2c or https."),
        };
        if (protocol == "https")
            AddCertificate(builder);
    }

    // RSA of 2048 bits, as most certificates are, signed by itself: no load checks it. The files are in the folder that the caller of the
    // app deletes, beside the one that is served.
    private static void AddCertificate(WebApplicationBuilder builder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

        string certificateFile = Path.Combine(builder.Environment.WebRootPath, "certificate.pem");
        string keyFile = Path.Combine(builder.Environment.WebRootPath, "key.pem");
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        builder.Configuration[Section + "Certificate:Path"] = certificateFile;
        builder.Configuration[Section + "Certificate:KeyPath"] = keyFile;
    }
}
