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

/// <summary>
/// Only where the server waits for events itself: elsewhere it does so by the runtime's sockets, which now and then allocate something.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EpollTheoryAttribute : TheoryAttribute
{
    public EpollTheoryAttribute() => Skip = Optimization.Missing ?? (IsEpoll ? null : "The loop is not epoll's.");

    private static bool IsEpoll =>
        OperatingSystem.IsLinux() && !(AppContext.TryGetSwitch("Asgi.Server.UsePortableBackend", out var isPortable) && isPortable);
}

internal static class Optimization
{
    /// <summary>Why there is nothing to count; null when the server is optimized.</summary>
    public static string? Missing { get; } =
        typeof(AsgiServer).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true }
            ? "The server is built without optimization (-c Release has it)."
            : null;
}
