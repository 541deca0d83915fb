// A test that needs a program on the machine: skipped with its name when it is missing. Read by xunit while it discovers tests.

namespace Asgi.Server.Clients.Tests;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClientFactAttribute : FactAttribute
{
    public ClientFactAttribute(string program) => Skip = Programs.ReasonToSkip(program);
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClientTheoryAttribute : TheoryAttribute
{
    public ClientTheoryAttribute(string program) => Skip = Programs.ReasonToSkip(program);
}

internal static class Programs
{
    public static string? ReasonToSkip(string program) => IsInstalled(program) ? null : $"{program} is not installed.";

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
