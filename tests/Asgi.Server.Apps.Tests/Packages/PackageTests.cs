// The package: what is in it, and that an app which has nothing but it runs.

using System.Xml.Linq;

namespace Asgi.Server.Apps.Tests;

[Collection(nameof(Builds))]
public sealed class PackageTests(PackedServer packed) : IClassFixture<PackedServer>
{
    private static readonly string[] Layers = ["Asgi.Server", "Asgi.Server.Loops", "Asgi.Server.Protocols"];

    [Fact]
    public void It_holds_all_layers_with_their_documentation_and_symbols()
    {
        Assert.Equal(
            ["PACKAGE.md", .. Layers.SelectMany(layer => new[] { $"lib/net10.0/{layer}.dll", $"lib/net10.0/{layer}.xml" }).Order()],
            packed.Unpack(".nupkg").Keys.Where(name => name == "PACKAGE.md" || name.StartsWith("lib/", StringComparison.Ordinal)).Order());
        Assert.Equal(
            Layers.Select(layer => $"lib/net10.0/{layer}.pdb").Order(),
            packed.Unpack(".snupkg").Keys.Where(name => name.EndsWith(".pdb", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void It_says_what_it_is_and_needs_the_shared_framework_alone()
    {
        using var file = new MemoryStream(packed.Unpack(".nupkg")["Asgi.Server.nuspec"]);
        var metadata = XDocument.Load(file).Root!.Elements().Single();

        Assert.Equal("MIT", Element(metadata, "license").Value);
        Assert.Equal("PACKAGE.md", Element(metadata, "readme").Value);
        Assert.NotEmpty(Element(metadata, "description").Value);
        Assert.Null(Element(metadata, "repository").Attribute("url"));
        Assert.Equal("Microsoft.AspNetCore.App", Element(metadata, "frameworkReference").Attribute("name")!.Value);
        Assert.DoesNotContain(metadata.Descendants(), element => element.Name.LocalName == "dependency");
    }

    [Fact]
    public void It_tells_of_no_machine()
    {
        var files = packed.Unpack(".nupkg").Concat(packed.Unpack(".snupkg"));

        Assert.All(files, file => Assert.False(PackedServer.Contains(file.Value, Repository.Root), file.Key));
        Assert.All(files, file => Assert.False(PackedServer.Contains(file.Value, Path.GetDirectoryName(packed.Source)!), file.Key));

        // Symbols keep a path in pieces, which are put together here.
        var sources = packed.Unpack(".snupkg").Where(file => file.Key.EndsWith(".pdb", StringComparison.Ordinal))
            .SelectMany(file => PackedServer.SourcesOf(file.Value)).ToArray();
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.StartsWith("/_/", source, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fresh_app_needs_the_package_and_one_line()
    {
        using var folder = new TemporaryFolder().WithSdk();
        var app = folder["RealApp"];
        await Dotnet.RunAsync(folder.Path, "new", "web", "--name", "RealApp", "--no-restore", "--no-update-check");
        await File.WriteAllTextAsync(
            Path.Combine(app, "NuGet.config"),
            $"""
            <configuration>
              <packageSources><clear /><add key="local" value="{packed.Source}" /></packageSources>
              <packageSourceMapping><clear /></packageSourceMapping>
            </configuration>
            """);
        var program = Path.Combine(app, "Program.cs");
        await File.WriteAllTextAsync(program, (await File.ReadAllTextAsync(program))
            .Replace("(args);", "(args);\nbuilder.WebHost.UseAsgiServer();", StringComparison.Ordinal)
            // A type of the lowest layer that apps may name.
            .Replace("app.Run()", "app.MapGet(\"/type\", () => typeof(Asgi.Server.Protocols.Http.FieldSection).Name);\napp.Run()"));
        var packages = new Dictionary<string, string> { ["NUGET_PACKAGES"] = folder["cache"] };

        await Dotnet.RunAsync(app, packages, ["add", "package", "Asgi.Server"]);
        await Dotnet.RunAsync(app, packages, ["publish", "-c", "Release", "-o", folder["published"]]);

        await using var process = await AppProcess.StartAsync(folder["published/RealApp.dll"], folder["published"]);
        using var client = process.CreateClient();
        using var response = await client.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal("Hello World!", await response.Content.ReadAsStringAsync());
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
        Assert.Equal("FieldSection", await client.GetStringAsync(new Uri("/type", UriKind.Relative)));
    }

    private static XElement Element(XElement metadata, string name) =>
        metadata.Descendants().Single(element => element.Name.LocalName == name);
}
