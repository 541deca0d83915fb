// A test that needs a module of the system's Python: skipped with its name when it is missing. Read by xunit while it discovers tests.

using System.ComponentModel;
using System.Diagnostics;

namespace Asgi.Server.Clients.Tests;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute(string module) => Skip = Python.ReasonToSkip(module);
}

internal static class Python
{
    /// <summary>The one that packages of the system install for; another one on the path would not see them.</summary>
    public const string Program = "/usr/bin/python3";

    public static string? ReasonToSkip(string module) => CanImport(module) ? null : $"The module {module} of Python is not installed.";

    private static bool CanImport(string module)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(Program, ["-c", $"import {module}"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
