// `dotnet pack` of the server, away from the repository's own build output: a class fixture.

using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;

namespace Asgi.Server.Apps.Tests;

public sealed class PackedServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder of the packages, which serves as a source of packages.</summary>
    public string Source => _folder["packages"];

    public async Task InitializeAsync() => await Dotnet.RunAsync(
        Repository.Root, "pack", "src/Asgi.Server", "-c", "Release", "--artifacts-path", _folder["artifacts"], "-o", Source);

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>The files of the one package with this extension, and what is in them.</summary>
    internal Dictionary<string, byte[]> Unpack(string extension)
    {
        using var package = ZipFile.OpenRead(Directory.EnumerateFiles(Source).Single(path => Path.GetExtension(path) == extension));
        return package.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = new MemoryStream();
            using var stream = entry.Open();
            stream.CopyTo(content);
            return content.ToArray();
        });
    }

    /// <summary>The paths of the sources that symbols name.</summary>
    internal static string[] SourcesOf(byte[] symbols)
    {
        using var provider = MetadataReaderProvider.FromPortablePdbImage([.. symbols]);
        var reader = provider.GetMetadataReader();
        return [.. reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name))];
    }

    internal static bool Contains(byte[] content, string text) => content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
}
