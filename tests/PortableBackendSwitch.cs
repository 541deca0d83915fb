// ASGI_TESTS_BACKEND=portable has the tests of a project run on the portable backend, which is all there is on systems other than Linux,
// and the servers that they start as processes of their own. Compiled into each project of tests; runs before its first.
using System.Runtime.CompilerServices;

internal static class PortableBackendSwitch
{
    [ModuleInitializer]
    internal static void Read()
    {
        if (Environment.GetEnvironmentVariable("ASGI_TESTS_BACKEND") == "portable")
        {
            AppContext.SetSwitch("Asgi.Server.UsePortableBackend", true);

            // Processes started from here have the runtime load this assembly first.
            Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", typeof(PortableBackendSwitch).Assembly.Location);
        }
    }
}

/// <summary>Found by the runtime by its name. The initializer above has done the work when it is called.</summary>
internal static class StartupHook
{
    public static void Initialize()
    {
    }
}
