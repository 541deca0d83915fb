// Certificates that change while the server runs: new connections get the new one, and those that are there notice nothing. Files are real;
// the looks at them are the tests' own, since the server's come by a timer.

using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class CertificateReloadTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("asgi-reload-");
    private readonly X509Certificate2 _old = TestCertificates.ForNames("localhost");
    private readonly X509Certificate2 _new = TestCertificates.ForNames("localhost");

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_renewed_file_is_served_to_new_connections_and_the_others_go_on()
    {
        TestCertificates.WritePfx(_old, In("server.pfx"), null);
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(In("server.pfx")));
        var addresses = bed.Server.GetAddresses().Addresses.ToArray();
        await using var before = await bed.ConnectAsync();
        Assert.Equal("https 1.1", await before.GetAsync());

        // As renewers do it: written beside, and moved over.
        TestCertificates.WritePfx(_new, In("server.tmp"), null);
        File.Move(In("server.tmp"), In("server.pfx"), overwrite: true);
        await bed.LookAsync();

        // What was seen once may be half of it.
        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        await bed.LookAsync();

        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());
        Assert.Equal("https 1.1", await before.GetAsync());
        Assert.Equal(_old.Thumbprint, before.Certificate!.Thumbprint);
        Assert.Equal(addresses, bed.Server.GetAddresses().Addresses);
        var line = Assert.Single(bed.Log.Lines, line => line.Id.Id == 220);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Contains(In("server.pfx"), line.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_certificate_and_its_key_may_change_one_after_the_other(bool isSeenBetween)
    {
        TestCertificates.WritePem(_old, In("server.crt"), In("server.key"));
        await using var bed = await StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = In("server.crt"),
            ["Endpoints:A:Certificate:KeyPath"] = In("server.key"),
        });

        TestCertificates.WritePem(_new, In("server.crt"), In("other.key"));
        await bed.LookAsync();
        if (isSeenBetween)
        {
            await bed.LookAsync();
            Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        }

        File.Move(In("other.key"), In("server.key"), overwrite: true);
        await bed.LookAsync();
        await bed.LookAsync();

        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());
        Assert.Equal(isSeenBetween ? 1 : 0, bed.Log.Lines.Count(line => line.Level >= LogLevel.Warning));
    }

    [Fact]
    public async Task A_broken_file_keeps_the_old_certificate_and_is_told_once()
    {
        TestCertificates.WritePfx(_old, In("server.pfx"), null);
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(In("server.pfx")));

        await File.WriteAllTextAsync(In("server.pfx"), "broken");
        for (var i = 0; i < 4; i++)
            await bed.LookAsync();

        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        var line = Assert.Single(bed.Log.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Equal((LogLevel.Error, 221), (line.Level, line.Id.Id));
        Assert.Contains(In("server.pfx"), line.Message, StringComparison.Ordinal);

        TestCertificates.WritePfx(_new, In("server.pfx"), null);
        await bed.LookAsync();
        await bed.LookAsync();
        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task A_file_that_is_gone_keeps_the_certificate()
    {
        TestCertificates.WritePfx(_old, In("server.pfx"), null);
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(In("server.pfx")));

        File.Delete(In("server.pfx"));
        await bed.LookAsync();
        await bed.LookAsync();

        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        Assert.Single(bed.Log.Lines, line => line.Id.Id == 221);
    }

    [Fact]
    public async Task A_folder_behind_a_link_may_be_exchanged_as_Kubernetes_does()
    {
        foreach (var (version, certificate) in new[] { ("1", _old), ("2", _new) })
        {
            Directory.CreateDirectory(In(version));
            TestCertificates.WritePem(certificate, In($"{version}/tls.crt"), In($"{version}/tls.key"));
        }

        Directory.CreateSymbolicLink(In("..data"), In("1"));
        File.CreateSymbolicLink(In("tls.crt"), Path.Combine("..data", "tls.crt"));
        File.CreateSymbolicLink(In("tls.key"), Path.Combine("..data", "tls.key"));
        await using var bed = await StartAsync(new()
        {
            ["Certificates:Default:Path"] = In("tls.crt"),
            ["Certificates:Default:KeyPath"] = In("tls.key"),
        });
        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());

        File.Delete(In("..data"));
        Directory.CreateSymbolicLink(In("..data"), In("2"));
        await bed.LookAsync();
        await bed.LookAsync();

        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task Files_of_names_are_looked_at_too()
    {
        TestCertificates.WritePfx(_old, In("server.pfx"), null);
        TestCertificates.WritePfx(_old, In("name.pfx"), null);
        await using var bed = await StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = In("server.pfx"),
            ["Endpoints:A:Sni:name.test:Certificate:Path"] = In("name.pfx"),
            ["Endpoints:A:Sni:*:Protocols"] = "Http1",
        });

        TestCertificates.WritePfx(_new, In("name.pfx"), null);
        await bed.LookAsync();
        await bed.LookAsync();

        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync("name.test"));
        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task A_changed_section_changes_the_certificate_and_not_the_endpoint()
    {
        TestCertificates.WritePfx(_old, In("old.pfx"), null);
        TestCertificates.WritePfx(_new, In("new.pfx"), null);
        var section = Section(new()
        {
            ["Endpoints:A:Url"] = "https://127.0.0.1:0",
            ["Endpoints:A:Certificate:Path"] = In("old.pfx"),
        });
        await using var bed = await TlsBed.StartAsync(options => options.Configure(section, reloadOnChange: true));
        var addresses = bed.Server.GetAddresses().Addresses.ToArray();
        await using var before = await bed.ConnectAsync();
        Assert.Equal("https 1.1", await before.GetAsync());

        await ChangeAsync(bed, section, "Endpoints:A:Certificate:Path", In("none.pfx"));
        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        Assert.Contains(In("none.pfx"), bed.Log.Lines.First(line => line.Id.Id == 221).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(bed.Log.Lines, line => line.Id.Id == 215);
        bed.Log.Lines.Clear();

        await ChangeAsync(bed, section, "Endpoints:A:Certificate:Path", In("new.pfx"));
        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());

        await ChangeAsync(bed, section, "Endpoints:A:SslProtocols", "Tls12");
        Assert.True(await bed.RefusesAsync(configure: options =>
            options.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls13));

        Assert.Equal("https 1.1", await before.GetAsync());
        Assert.Equal(addresses, bed.Server.GetAddresses().Addresses);
        Assert.Equal([215, 215], bed.Log.Lines.Select(line => line.Id.Id));
    }

    [Fact]
    public async Task A_changed_default_reaches_endpoints_of_code()
    {
        TestCertificates.WritePfx(_old, In("old.pfx"), null);
        TestCertificates.WritePfx(_new, In("new.pfx"), null);
        var section = Section(new() { ["Certificates:Default:Path"] = In("old.pfx") });
        await using var bed = await TlsBed.ListenAsync(
            listen => listen.UseHttps(), options => options.Configure(section, reloadOnChange: true));
        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());

        await ChangeAsync(bed, section, "Certificates:Default:Path", In("new.pfx"));

        Assert.Equal(_new.Thumbprint, await bed.ThumbprintAsync());
        Assert.DoesNotContain(bed.Log.Lines, line => line.Id.Id == 212);
    }

    [Fact]
    public async Task An_endpoint_that_takes_the_new_default_is_not_tried_with_what_is_gone()
    {
        TestCertificates.WritePfx(_old, In("old.pfx"), null);
        TestCertificates.WritePfx(_new, In("new.pfx"), null);
        var section = Section(new()
        {
            ["Endpoints:A:Url"] = "https://127.0.0.1:0",
            ["Endpoints:A:Certificate:Path"] = In("old.pfx"),
            ["Endpoints:B:Url"] = "https://127.0.0.1:0",
            ["Endpoints:B:Certificate:Path"] = In("old.pfx"),
            ["Endpoints:C:Url"] = "https://127.0.0.1:0",
            ["Endpoints:C:Certificate:Path"] = In("new.pfx"),
        });
        await using var bed = await TlsBed.StartAsync(options => options.Configure(section, reloadOnChange: true));
        await using var before = await TlsClient.ConnectAsync(
            Addresses.EndPointOf(bed.Server.GetAddresses().Addresses.First()), "localhost");
        Assert.Equal("https 1.1", await before.GetAsync());

        File.Delete(In("old.pfx"));
        section["Endpoints:A:Certificate:Path"] = In("new.pfx");
        section["Endpoints:B:Url"] = "https://127.0.0.2:0";
        section["Endpoints:B:Certificate:Path"] = In("new.pfx");
        await ChangeAsync(bed, section, "Certificates:Default:Path", In("new.pfx"));

        Assert.DoesNotContain(bed.Log.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Equal("https 1.1", await before.GetAsync());
    }

    [Fact]
    public void Kestrels_switch_turns_the_looks_off()
    {
        using var turn = new SemaphoreSlim(1, 1);
        var time = new ManualTime();
        using var reload = new CertificateReload(() => [], turn, time);
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableCertificateFileWatching", true);
        try
        {
            reload.Start();
        }
        finally
        {
            AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableCertificateFileWatching", false);
        }

        Assert.Null(time.Due);
    }

    [Fact]
    public async Task A_section_that_cannot_be_used_changes_nothing()
    {
        TestCertificates.WritePfx(_old, In("old.pfx"), null);
        var section = Section(new()
        {
            ["Endpoints:A:Url"] = "https://127.0.0.1:0",
            ["Endpoints:A:Certificate:Path"] = In("old.pfx"),
        });
        await using var bed = await TlsBed.StartAsync(options => options.Configure(section, reloadOnChange: true));

        await ChangeAsync(bed, section, "Endpoints:A:Certificate:Subject", "both");

        Assert.Equal(_old.Thumbprint, await bed.ThumbprintAsync());
        Assert.Contains(bed.Log.Lines, line => line.Id.Id == 210);
    }

    [Fact]
    public async Task A_timer_looks_again_and_again()
    {
        TestCertificates.WritePfx(_old, In("server.pfx"), null);
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(In("server.pfx")));
        using var turn = new SemaphoreSlim(1, 1);
        var time = new ManualTime();
        var looks = 0;
        using var reload = new CertificateReload(Look, turn, time);
        reload.Start();
        Assert.Equal(CertificateReload.Interval, time.Due);

        time.Fire();
        Assert.Equal((1, CertificateReload.Interval), (looks, time.Due));
        time.Fire();
        Assert.Equal(2, looks);

        // One that holds its turn is waited for, and the stop is the last.
        reload.Dispose();
        time.Fire();
        Assert.Equal(2, looks);
        Assert.Null(time.Due);

        IEnumerable<TlsEndpoint> Look()
        {
            looks++;
            return [];
        }
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private static IConfigurationRoot Section(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();

    private static Task<TlsBed> StartAsync(Dictionary<string, string?> values)
    {
        values["Endpoints:A:Url"] = "https://127.0.0.1:0";
        return TlsBed.StartAsync(options => options.Configure(Section(values)));
    }

    private static async Task ChangeAsync(TlsBed bed, IConfigurationRoot section, string key, string value)
    {
        section[key] = value;
        section.Reload();
        await bed.Server.Reload!.ReloadAsync().WaitAsync(AppHost.Patience);
    }

    /// <summary>One timer, which goes off when the test says so.</summary>
    private sealed class ManualTime : TimeProvider, ITimer
    {
        private TimerCallback? _callback;

        public TimeSpan? Due { get; private set; }

        public void Fire()
        {
            Due = null;
            _callback!(null);
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _callback = callback;
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime;
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
