// The files of the static scenarios, in a temporary folder that a server has for its own while it runs.

namespace Compare;

internal static class StaticFiles
{
    private static readonly (string Name, int Size)[] All = [("1k.bin", 1 << 10), ("64k.bin", 64 << 10), ("4m.bin", 4 << 20)];

    /// <summary>A new folder, readable by its owner only, with the files below static/. Server deletes it.</summary>
    public static DirectoryInfo Create()
    {
        var folder = Directory.CreateTempSubdirectory("asgi-perf-");
        var files = folder.CreateSubdirectory("static");
        foreach (var (name, size) in All)
        {
            byte[] content = new byte[size];
            new Random(size).NextBytes(content);
            File.WriteAllBytes(Path.Combine(files.FullName, name), content);
        }
        return folder;
    }
}
