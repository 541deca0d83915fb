// The repository on disk: found by walking up to the solution file, read once, shared by all rules. Build output and what
// .gitignore names are left out by folder, so the tests need no git and hold in an unpacked archive too.

namespace Tidy.Tests;

internal static class Tree
{
    private static readonly HashSet<string> NotOurs =
        [".git", "bin", "obj", "TestResults", "node_modules", ".vs", ".idea", "results"];

    private static readonly Lazy<IReadOnlyList<SourceFile>> All = new(() => [.. Read(new DirectoryInfo(Root!))]);

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Files => All.Value;

    public static IEnumerable<SourceFile> CSharp => Files.Where(file => file.IsCSharp);

    public static SourceFile File(string path) => Files.Single(file => file.Path == path);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(folder.FullName, "Asgi.Server.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("No Asgi.Server.sln above the tests.");
        return folder.FullName;
    }

    private static IEnumerable<SourceFile> Read(DirectoryInfo folder)
    {
        foreach (var file in folder.EnumerateFiles().Where(file => file.Name != ".git").OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            string text = System.IO.File.ReadAllText(file.FullName);
            if (!text.Contains('\0')) // a binary file has no lines
                yield return new SourceFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), text);
        }
        foreach (var child in folder.EnumerateDirectories().OrderBy(child => child.Name, StringComparer.Ordinal))
        {
            if (NotOurs.Contains(child.Name) || child.LinkTarget is not null)
                continue;
            foreach (var file in Read(child))
                yield return file;
        }
    }
}
