// The outer walls: which projects there are, what they may reference, and that each room of src explains itself in a README.
// Called by ProjectsTests.

using System.Text.RegularExpressions;

namespace Tidy.Tests;

internal static partial class Projects
{
    // Applications above the product (the sample, the command line) choose their own references.
    private static readonly Dictionary<string, string[]> Libraries = new()
    {
        ["src/Asgi.Server.Protocols/Asgi.Server.Protocols.csproj"] = [],
        ["src/Asgi.Server.Loops/Asgi.Server.Loops.csproj"] = [],
        ["src/Asgi.Server/Asgi.Server.csproj"] =
        [
            "Microsoft.AspNetCore.App",
            "../Asgi.Server.Protocols/Asgi.Server.Protocols.csproj",
            "../Asgi.Server.Loops/Asgi.Server.Loops.csproj",
        ],
        ["src/Directory.Build.props"] = [],
        ["Directory.Build.props"] = [],
    };

    public static IEnumerable<Finding> References(SourceFile file)
    {
        if (!Libraries.TryGetValue(file.Path, out var allowed))
            yield break;
        for (int line = 0; line < file.Lines.Length; line++)
            if (Reference().Match(file.Lines[line]) is { Success: true } reference
                && !allowed.Contains(reference.Groups[1].Value.Replace('\\', '/')) && !IsBuildOnly(file.Lines[line]))
                yield return file.At(line, $"references {reference.Groups[1].Value}",
                    "the libraries stand on the shared framework and the layers below them alone: write it, or do without");
    }

    public static IEnumerable<Finding> GlobalUsings(SourceFile file) =>
        from line in Enumerable.Range(0, file.Lines.Length)
        where Libraries.ContainsKey(file.Path) && file.Lines[line].Contains("<Using ", StringComparison.Ordinal)
        select file.At(line, "a global using", "name it in each file that needs it, so that a file's head shows its layer");

    public static IEnumerable<Finding> Solution(SourceFile solution, IEnumerable<SourceFile> files)
    {
        var listed = solution.Lines.Select(line => SolutionProject().Match(line)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value.Replace('\\', '/')).ToHashSet();
        var present = files.Where(file => file.Path.EndsWith(".csproj", StringComparison.Ordinal)).ToDictionary(file => file.Path);
        foreach (string path in present.Keys.Where(path => !listed.Contains(path)))
            yield return present[path].At(0, "a project outside the solution", $"dotnet sln add {path}");
        foreach (string path in listed.Where(path => !present.ContainsKey(path)))
            yield return solution.At(0, $"lists {path}, which is not there", $"dotnet sln remove {path}");
    }

    /// <summary>A project of src and each room in it has a README; a deeper folder is covered by its room's.</summary>
    public static IEnumerable<Finding> Readmes(IReadOnlyCollection<SourceFile> files)
    {
        var paths = files.Select(file => file.Path).ToHashSet();
        return
            from file in files
            where file.IsCSharp && file.IsUnder("src")
            from depth in new[] { 2, 3 }
            let parts = file.Folder.Split('/')
            where parts.Length >= depth
            group file by string.Join('/', parts.Take(depth)) into folder
            where !paths.Contains($"{folder.Key}/README.md")
            select new Finding($"{folder.Key}/README.md", 1, "is missing",
                "say in a few lines how the folder works, its limits and assumptions, and dated decisions");
    }

    // An analyzer or a source link ends with the build and reaches no user.
    private static bool IsBuildOnly(string line) => line.Contains("PrivateAssets=\"all\"", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"<(?:PackageReference|ProjectReference|FrameworkReference|Reference)\s+(?:Include|Update)=""([^""]+)""")]
    private static partial Regex Reference();

    [GeneratedRegex(@"""([^""]+\.csproj)""")]
    private static partial Regex SolutionProject();
}
