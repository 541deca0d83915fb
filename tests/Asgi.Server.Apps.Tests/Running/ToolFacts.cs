// Tests that need Node with the packages of Clients/package.json, a Chromium, or runtimes to build with: skipped with the reason when they
// are missing. Read by xunit while it discovers tests.

namespace Asgi.Server.Apps.Tests;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() => Skip = Node.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeTheoryAttribute : TheoryAttribute
{
    public NodeTheoryAttribute() => Skip = Node.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Chromium.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Chromium.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class BlazorFactAttribute : FactAttribute
{
    public BlazorFactAttribute() => Skip = BlazorScript.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class BlazorBrowserFactAttribute : FactAttribute
{
    public BlazorBrowserFactAttribute() => Skip = BlazorScript.ReasonToSkip ?? Chromium.ReasonToSkip;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class SelfContainedFactAttribute : FactAttribute
{
    private static readonly string[] Parts = ["netcore", "aspnetcore"];

    public SelfContainedFactAttribute() =>
        Skip = Array.TrueForAll(Parts, part => Directory.Exists(Repository.RuntimePackage(part, Repository.AppRuntimeVersion)))
            ? null
            : $"The runtime {Repository.AppRuntimeVersion} for {Repository.AppRuntime} was not restored.";
}

internal static class Node
{
    public static string? ReasonToSkip { get; } = Programs.ReasonToSkip("node")
        // The file that npm writes when it has installed everything.
        ?? (File.Exists(Path.Combine(Repository.Clients, "node_modules/.package-lock.json"))
            ? null
            : "Node's packages are not installed: run npm ci in tests/Asgi.Server.Apps.Tests/Clients.");
}
