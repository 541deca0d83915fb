// Tests that need Node with the packages of Clients/package.json, or a Chromium: skipped with the reason when they are missing. Read by
// xunit while it discovers tests.

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

internal static class Node
{
    public static string? ReasonToSkip { get; } = Programs.ReasonToSkip("node")
        ?? (Directory.Exists(Path.Combine(Repository.Clients, "node_modules"))
            ? null
            : "Node's packages are not installed: run npm ci in tests/Asgi.Server.Apps.Tests/Clients.");
}
