// Blazor's script for the browser. .NET 10 keeps it in a package that not every feed has (Microsoft.AspNetCore.App.Internal.Assets);
// .NET 9 kept it in the shared framework, as a resource of an assembly, and speaks the same protocol. Called by the Blazor app's fixture.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Asgi.Server.Apps.Tests;

internal static class BlazorScript
{
    private const string Name = "_framework/blazor.web.js";

    private static readonly string Package = Repository.RuntimePackage("aspnetcore", "9.0.18");

    private static readonly string Library = Path.Combine(
        Package, "runtimes", Repository.AppRuntime, "lib/net9.0/Microsoft.AspNetCore.Components.Endpoints.dll");

    public static string? ReasonToSkip { get; } =
        File.Exists(Library) ? null : "The runtime that Blazor's script is taken from was not restored.";

    public static async Task WriteAsync(string webRoot)
    {
        var path = Path.Combine(webRoot, Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, Read());
    }

    // A resource is its length and its bytes (ECMA-335, II.24.2.4 and II.22.24). The assembly is read, not loaded: there is a newer one.
    private static byte[] Read()
    {
        using var file = new PEReader(File.OpenRead(Library));
        var metadata = file.GetMetadataReader();
        var resource = metadata.ManifestResources.Select(metadata.GetManifestResource)
            .Single(resource => metadata.GetString(resource.Name) == Name);
        var content = file.GetSectionData(file.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress).GetContent();
        var start = (int)resource.Offset + sizeof(int);
        var length = BitConverter.ToInt32([.. content.AsSpan(start - sizeof(int), sizeof(int))]);
        return [.. content.AsSpan(start, length)];
    }
}
