// The rules of the text itself: how long files and lines may be, what a source file starts with, what must not be left behind,
// and that nothing tells of one machine. Called by TextsTests.

using System.Text.RegularExpressions;

namespace Tidy.Tests;

internal static partial class Texts
{
    public const int MaxSourceLines = 400;
    public const int MaxTestLines = 600;
    public const int MaxColumns = 140;

    /// <summary>Files that are one table, which is best read whole: a path and what the table holds.</summary>
    public static readonly (string Path, string Table)[] Tables =
    [
    ];

    public static IEnumerable<Finding> FileSize(SourceFile file)
    {
        int limit = file.IsUnder("tests") ? MaxTestLines : MaxSourceLines;
        if (file.IsCSharp && file.Lines.Length > limit && !Tables.Any(table => table.Path == file.Path))
            yield return file.At(limit, $"{file.Lines.Length} lines, {limit} at most",
                "a file this long holds two jobs: cut it by job (not by size), or list it in Texts.Tables if it is one table");
    }

    public static IEnumerable<Finding> LineLength(SourceFile file) =>
        from line in Enumerable.Range(0, file.Lines.Length)
        where file.IsCSharp && file.Lines[line].Length > MaxColumns
        select file.At(line, $"{file.Lines[line].Length} columns, {MaxColumns} at most", "break the line, or name a part of it");

    public static IEnumerable<Finding> Head(SourceFile file)
    {
        if (file.IsCSharp && file.IsUnder("src") && !HeadLine().IsMatch(file.Lines[0]))
            yield return file.At(0, "no comment at its head", "start with a few // lines: what it is, who calls it, on which thread");
    }

    public static IEnumerable<Finding> Markers(SourceFile file) =>
        from line in Enumerable.Range(0, file.Lines.Length)
        where !file.IsUnder("tests/Tidy.Tests") // it has to name what it looks for
        let marker = Marker().Match(file.Lines[line])
        where marker.Success
        select file.At(line, $"a leftover {marker.Value}", "do it now, or write down in the folder's README what is not done and why");

    public static IEnumerable<Finding> MachinePaths(SourceFile file, string root) =>
        from line in Enumerable.Range(0, file.Lines.Length)
        where !file.IsUnder("tests/Tidy.Tests")
        let path = MachinePath().Match(file.Lines[line])
        where path.Success || (root.Count(c => c == '/') > 1 && file.Lines[line].Contains(root, StringComparison.Ordinal))
        select file.At(line, $"a path of one machine: {(path.Success ? path.Value : root)}",
            "make it relative to the repository, or a temporary file's");

    public static IEnumerable<Finding> Registries(SourceFile file)
    {
        bool isFeedSettings = Path.GetFileName(file.Path).ToLowerInvariant() is "nuget.config" or ".npmrc";
        return
            from line in Enumerable.Range(0, file.Lines.Length)
            where !file.IsUnder("tests/Tidy.Tests")
            let address = (isFeedSettings ? AnyAddress() : Registry()).Match(file.Lines[line])
            where address.Success
            select file.At(line, $"the address of a package registry: {address.Value}",
                "name the feed by its key; the address is the machine's own (lock files: omit-lockfile-registry-resolved)");
    }

    [GeneratedRegex(@"^//(?!/)\s*\S")]
    private static partial Regex HeadLine();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex Marker();

    // Case matters: a test may ask for /Home/Index, nobody's code lives below it.
    [GeneratedRegex(@"(?<![\w.~*:/-])(/(home|root|workspaces?|work|mnt|__w)/[A-Za-z0-9_.][\w./-]*|/Users/[a-z]\w*/|[A-Z]:\\Users\\)")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"https?://[^\s""'<>)]*(nuget\.org|npmjs\.|yarnpkg\.|pypi\.|pythonhosted\.|crates\.io|registry\.|"
        + @"artifactory|pkgs\.dev\.azure|nuget\.pkg\.github|/v3/index\.json|proxy\.golang)[^\s""'<>)]*")]
    private static partial Regex Registry();

    [GeneratedRegex(@"https?://[^\s""'<>]+")]
    private static partial Regex AnyAddress();
}
