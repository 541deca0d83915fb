// An application that waits for its client to go.

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

internal static class AbortedContext
{
    /// <summary>Is cancelled when RequestAborted is, and never ends otherwise.</summary>
    public static async Task UntilAbortedAsync(this HttpContext context)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = context.RequestAborted.Register(() => aborted.TrySetCanceled(context.RequestAborted));
        await aborted.Task;
    }
}
