// Names of an endpoint's section Sni: which of them a client gets, and what each says of its own.

using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class SniTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("asgi-sni-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("a.example.org", "exact")]
    [InlineData("A.Example.ORG", "exact")]
    [InlineData("b.example.org", "wildcard")]
    [InlineData("c.b.example.org", "wildcard")]
    [InlineData("x.long.example.org", "longer")]
    [InlineData("long.example.org", "wildcard")]
    [InlineData("example.org", "any")]
    [InlineData("other", "any")]
    [InlineData("", "any")]
    [InlineData("b\u00fccher.example", "punycode")]
    [InlineData("a.example.org.", "exact")]
    [InlineData("b.example.org.", "wildcard")]
    [InlineData("root.example", "root")]
    [InlineData("a.root.test", "roots")]
    [InlineData(".", "any")]
    public void The_exact_name_comes_first_then_the_longest_wildcard_then_any(string name, string expected)
    {
        var table = new SniTable<string>();
        table.Add("*", "any");
        table.Add("*.example.org", "wildcard");
        table.Add("*.long.example.org", "longer");
        table.Add("a.example.org", "exact");
        table.Add("xn--bcher-kva.example", "punycode");
        table.Add("root.example.", "root");
        table.Add("*.root.test.", "roots");

        Assert.Equal(expected, table.Find(name));
    }

    [Fact]
    public void Without_one_for_any_a_name_may_have_none()
    {
        var table = new SniTable<string>();
        table.Add("a", "a");

        Assert.Null(table.Find("b"));
        Assert.Null(table.Find(""));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a.", true)]
    [InlineData("*.a.", true)]
    [InlineData("*", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("*.", false)]
    [InlineData("*..", false)]
    [InlineData("a*", false)]
    public void A_key_is_a_name_or_it_is_not(string key, bool isName) => Assert.Equal(isName, SniTable<string>.IsName(key));

    [Fact]
    public async Task A_name_that_says_nothing_of_its_own_has_all_from_the_endpoint()
    {
        var own = Write("own", "own.test");
        var json = JsonSerializer.Serialize(new
        {
            Endpoints = new
            {
                A = new
                {
                    Url = "https://127.0.0.1:0",
                    Certificate = new { Path = Path("own") },
                    Sni = new Dictionary<string, object> { ["*"] = new { } },
                },
            },
        });
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var section = new ConfigurationBuilder().AddJsonStream(stream).Build();
        await using var bed = await TlsBed.StartAsync(options => options.Configure(section));

        Assert.Equal(own, await bed.ThumbprintAsync("any.test"));
    }

    [Fact]
    public async Task Each_name_has_its_certificate_and_a_name_without_one_that_of_the_endpoint()
    {
        var one = Write("one", "one.test");
        var wild = Write("wild", "x.wild.test");
        var own = Write("own", "own.test");
        await using var bed = await StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = Path("own"),
            ["Endpoints:A:Sni:one.test:Certificate:Path"] = Path("one"),
            ["Endpoints:A:Sni:*.wild.test:Certificate:Path"] = Path("wild"),
            ["Endpoints:A:Sni:*:Protocols"] = "Http1",
        });

        Assert.Equal(one, await bed.ThumbprintAsync("one.test"));
        Assert.Equal(wild, await bed.ThumbprintAsync("x.wild.test"));
        Assert.Equal(own, await bed.ThumbprintAsync("other.test"));
    }

    [Fact]
    public async Task Without_a_rule_for_its_name_a_client_gets_nothing()
    {
        Write("one", "one.test");
        await using var bed = await StartAsync(new() { ["Endpoints:A:Sni:one.test:Certificate:Path"] = Path("one") });

        Assert.False(await bed.RefusesAsync("one.test"));
        Assert.True(await bed.RefusesAsync("two.test"));
    }

    [Fact]
    public async Task A_name_has_its_own_protocols_versions_and_demand()
    {
        Write("one", "one.test");
        await using var bed = await StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = Path("one"),
            ["Endpoints:A:Sni:http1.test:Protocols"] = "Http1",
            ["Endpoints:A:Sni:http2.test:Protocols"] = "Http2",
            ["Endpoints:A:Sni:old.test:SslProtocols"] = "Tls12",
            ["Endpoints:A:Sni:client.test:ClientCertificateMode"] = "RequireCertificate",
        });

        Assert.Equal(SslApplicationProtocol.Http11, await AgreedAsync(bed, "http1.test"));
        Assert.Equal(SslApplicationProtocol.Http2, await AgreedAsync(bed, "http2.test"));
        Assert.Equal(SslApplicationProtocol.Http2, await AgreedAsync(bed, "old.test"));
        Assert.True(await bed.RefusesAsync("client.test"));
        Assert.True(await bed.RefusesAsync("old.test", options => options.EnabledSslProtocols = SslProtocols.Tls13));
        Assert.False(await bed.RefusesAsync("http1.test", options => options.EnabledSslProtocols = SslProtocols.Tls13));

        // Nothing agreed on, and HTTP/2 alone under this name: closed, and told.
        Assert.True(await bed.RefusesAsync("http2.test"));
        Assert.Single(bed.Log.Lines, line => line.Id.Id == 224);
    }

    [Fact]
    public async Task A_selector_of_code_serves_the_names_without_a_certificate()
    {
        var one = Write("one", "one.test");
        await using var bed = await StartAsync(
            new()
            {
                ["Endpoints:A:Sni:one.test:Certificate:Path"] = Path("one"),
                ["Endpoints:A:Sni:*:Protocols"] = "Http1",
            },
            options => options.ConfigurationLoader!.Endpoint(
                "A", endpoint => endpoint.HttpsOptions.ServerCertificateSelector = (_, _) => TestCertificates.Rsa));

        Assert.Equal(one, await bed.ThumbprintAsync("one.test"));
        Assert.Equal(TestCertificates.Rsa.Thumbprint, await bed.ThumbprintAsync("two.test"));
    }

    private static async Task<SslApplicationProtocol> AgreedAsync(TlsBed bed, string name)
    {
        await using var client = await bed.ConnectAsync(
            name, options => options.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2]);
        return client.Stream.NegotiatedApplicationProtocol;
    }

    private static Task<TlsBed> StartAsync(Dictionary<string, string?> values, Action<AsgiServerOptions>? configure = null)
    {
        values["Endpoints:A:Url"] = "https://127.0.0.1:0";
        return TlsBed.StartAsync(options =>
        {
            options.Configure(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
            configure?.Invoke(options);
        });
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private string Write(string file, string name)
    {
        using var certificate = TestCertificates.ForNames(name);
        TestCertificates.WritePfx(certificate, Path(file), null);
        return certificate.Thumbprint;
    }
}
