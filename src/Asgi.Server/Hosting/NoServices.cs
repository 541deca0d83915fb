// The services of a server that was made without any. Any thread.
namespace Asgi.Server.Hosting;

internal sealed class NoServices : IServiceProvider
{
    public static NoServices Instance { get; } = new();

    public object? GetService(Type serviceType) => null;
}
