// What the kernel says of a thread: whether it runs or waits. Linux tells; elsewhere it is unknown. Any thread.
namespace Asgi.Server.Loops.Interop;

internal static class KernelThread
{
    /// <summary>The calling thread, as the kernel numbers it; 0 where that is unknown.</summary>
    public static int CurrentId() => OperatingSystem.IsLinux() ? Libc.GetThreadId() : 0;

    /// <summary>Whether a thread of this process runs, or would if it had a processor (proc(5), state R). False if unknown.</summary>
    public static bool IsRunning(int threadId)
    {
        if (threadId == 0)
        {
            return false;
        }

        try
        {
            // "tid (name) state ...", and the name may have anything in it.
            var stat = File.ReadAllText($"/proc/self/task/{threadId}/stat");
            return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart().StartsWith("R");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Ended in the meantime, or a sandbox hides it.
            return false;
        }
    }
}
