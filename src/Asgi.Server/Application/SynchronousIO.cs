// The framework's usual refusal of synchronous body I/O. Any thread.
namespace Asgi.Server.Application;

internal static class SynchronousIO
{
    public static InvalidOperationException Refused(string instead) =>
        new($"Synchronous operations are disallowed. Call {instead} instead.");
}
