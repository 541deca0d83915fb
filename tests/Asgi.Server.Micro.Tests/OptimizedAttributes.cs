// Tests of what compiled code allocates: without optimization each async method that runs allocates its state, whether it waits or not,
// and the figures are nobody's.

using System.Diagnostics;
using System.Reflection;

namespace Asgi.Server.Micro.Tests;

[AttributeUsage(AttributeTargets.Method)]
public sealed class OptimizedFactAttribute : FactAttribute
{
    public OptimizedFactAttribute() => Skip = Optimization.Missing;
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class OptimizedTheoryAttribute : TheoryAttribute
{
    public OptimizedTheoryAttribute() => Skip = Optimization.Missing;
}

internal static class Optimization
{
    /// <summary>Why there is nothing to count; null when the server is optimized.</summary>
    public static string? Missing { get; } =
        typeof(AsgiServer).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true }
            ? "The server is built without optimization (-c Release has it)."
            : null;
}
