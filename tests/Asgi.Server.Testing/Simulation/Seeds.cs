// Runs a scenario once per seed; a failure names its seed, with which it can be run alone.

using Xunit.Sdk;

namespace Asgi.Server.Testing.Simulation;

internal static class Seeds
{
    public static void Run(int count, Action<int> scenario)
    {
        for (var seed = 0; seed < count; seed++)
        {
            try
            {
                scenario(seed);
            }
            catch (Exception exception)
            {
                throw new XunitException($"With seed {seed}: {exception.Message}", exception);
            }
        }
    }
}
