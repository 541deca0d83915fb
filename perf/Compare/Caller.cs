// perf/run works in its own folder; the paths of its command line and output are those of who called it.

namespace Compare;

internal static class Caller
{
    private static readonly string Folder = Environment.GetEnvironmentVariable("PERF_CALLER") ?? Environment.CurrentDirectory;

    public static string FullPath(string path) => Path.GetFullPath(path, Folder);

    /// <summary>A path as the caller would write it.</summary>
    public static string Shown(string path) => Path.GetRelativePath(Folder, Path.GetFullPath(path));
}
