// The certificate of `dotnet dev-certs`, where no other is named: in the file that tools export, or in the user's store.

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class DevelopmentCertificateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("asgi-dev-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_one_of_the_store_that_is_valid_marked_and_newest_is_served()
    {
        using var old = Make(version: 2);
        using var best = Make(version: 5);
        using var expired = Make(version: 6, year: 2002);
        using var unmarked = TestCertificates.ForNames("localhost");
        using var keyless = X509CertificateLoader.LoadCertificate(Make(version: 7).RawData);

        await using var bed = await TlsBed.ListenAsync(
            listen => listen.UseHttps(),
            options => options.CertificatePlaces = TlsBed.NoPlaces with { MyCertificates = () => [old, best, expired, unmarked, keyless] });

        await using var client = await bed.ConnectAsync(
            configure: options => options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null);
        Assert.Equal(best.Thumbprint, client.Certificate!.Thumbprint);
    }

    [Fact]
    public async Task The_file_of_the_app_comes_before_the_store()
    {
        using var stored = Make(version: 2);
        using var exported = Make(version: 2);
        await using var app = Build("secret", stored);
        TestCertificates.WritePfx(exported, PathFor(app), "secret");
        await app.StartAsync();

        Assert.Equal(exported.Thumbprint, await ShownAsync(app));
    }

    [Theory]
    [InlineData("wrong", true)]
    [InlineData("secret", false)]
    public async Task A_file_that_cannot_be_used_is_told_and_passed_over(string password, bool isMarked)
    {
        using var stored = Make(version: 2);
        using var exported = isMarked ? Make(version: 2) : TestCertificates.ForNames("localhost");
        using var log = new LogSink();
        await using var app = Build(password, stored, log);
        TestCertificates.WritePfx(exported, PathFor(app), "secret");
        await app.StartAsync();

        Assert.Equal(stored.Thumbprint, await ShownAsync(app));
        var line = Assert.Single(log.Lines, line => line.Id.Id == 223);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains(PathFor(app), line.Message, StringComparison.Ordinal);
    }

    private Microsoft.AspNetCore.Builder.WebApplication Build(string password, X509Certificate2 stored, LogSink? log = null) =>
        ConfigurationTests.Build(
            new() { ["urls"] = "https://127.0.0.1:0", ["Kestrel:Certificates:Development:Password"] = password },
            builder => builder.Services.Configure<AsgiServerOptions>(options => options.CertificatePlaces =
                new CertificatePlaces(() => _folder.FullName, () => [stored], TimeProvider.System)),
            log ?? new LogSink());

    private string PathFor(Microsoft.AspNetCore.Builder.WebApplication app) =>
        Path.Combine(_folder.FullName, $"{app.Environment.ApplicationName}.pfx");

    private static async Task<string> ShownAsync(Microsoft.AspNetCore.Builder.WebApplication app)
    {
        await using var client = await TlsClient.ConnectAsync(
            Addresses.EndPointOf(app.Urls.Single()),
            "localhost",
            options => options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null);
        return client.Certificate!.Thumbprint;
    }

    private static X509Certificate2 Make(byte version, int year = 2060)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(DevelopmentCertificate.Mark, [version], critical: false));
        return request.CreateSelfSigned(new(2001, 1, 1, 0, 0, 0, TimeSpan.Zero), new(year, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
