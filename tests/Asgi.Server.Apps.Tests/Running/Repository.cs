// Where things are that the tests run: the repository, what the build knew, and folders of their own. Called by tests.

using System.Reflection;

namespace Asgi.Server.Apps.Tests;

internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Sample { get; } = Path.Combine(Root, "src/Asgi.Server.Sample");

    public static string Clients { get; } = Path.Combine(Root, "tests/Asgi.Server.Apps.Tests/Clients");

    /// <summary>What the package manager of .NET keeps on this machine.</summary>
    public static string Packages { get; } = Metadata("PackagesFolder");

    /// <summary>The runtime identifier of this machine, linux-x64 for one.</summary>
    public static string AppRuntime { get; } = Metadata("AppRuntime");

    /// <summary>The version of the runtime that a self-contained app of this SDK has.</summary>
    public static string AppRuntimeVersion { get; } = Metadata("AppRuntimeVersion");

    /// <summary>Where the package manager keeps a version of a part of the runtime, by its name in lower case.</summary>
    public static string RuntimePackage(string name, string version) =>
        Path.Combine(Packages, $"microsoft.{name}.app.runtime.{AppRuntime}", version);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Asgi.Server.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    private static string Metadata(string key) => typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == key).Value!;
}

/// <summary>A new folder outside of the repository, deleted with its owner.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("asgi-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Has the command line use the SDK of the repository in this folder, whatever else is on the machine.</summary>
    public TemporaryFolder WithSdk()
    {
        File.Copy(System.IO.Path.Combine(Repository.Root, "global.json"), this["global.json"]);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
