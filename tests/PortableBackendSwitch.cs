// ASGI_TESTS_BACKEND=portable has the tests of a project run on the portable backend, which is all there is on systems other than Linux.
// Compiled into each project that starts servers; runs before its first test.
using System.Runtime.CompilerServices;

namespace Asgi.Server.Testing;

internal static class PortableBackendSwitch
{
    [ModuleInitializer]
    internal static void Read()
    {
        if (Environment.GetEnvironmentVariable("ASGI_TESTS_BACKEND") == "portable")
        {
            AppContext.SetSwitch("Asgi.Server.UsePortableBackend", true);
        }
    }
}
