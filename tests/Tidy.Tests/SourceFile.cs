// One text file of the repository as the rules see it: its path from the root, its lines, and the same lines with comments
// and literals blanked. Made by Tree for the real files and by the tests of the rules from snippets.

namespace Tidy.Tests;

internal sealed class SourceFile
{
    private string[]? _code;

    public SourceFile(string path, string text)
    {
        Path = path;
        Lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
    }

    /// <summary>From the root, with forward slashes.</summary>
    public string Path { get; }

    public string[] Lines { get; }

    public string[] Code => _code ??= CodeText.Of(string.Join('\n', Lines)).Split('\n');

    public string Folder => Path.Contains('/') ? Path[..Path.LastIndexOf('/')] : "";

    public bool IsCSharp => Path.EndsWith(".cs", StringComparison.Ordinal);

    public bool IsUnder(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    public Finding At(int line, string what, string mend) => new(Path, line + 1, what, mend);
}
