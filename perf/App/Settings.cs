// Asgi.Server's settings by the app's command line: --handoff (milliseconds), --spares, --loops, --dispatch. What is absent stays as it is.

using Asgi.Server;

internal static class Settings
{
    public static void Apply(AsgiServerOptions options, IConfiguration arguments)
    {
        options.HandOffThreshold = TimeSpan.FromMilliseconds(
            arguments.GetValue("handoff", options.HandOffThreshold.TotalMilliseconds));
        options.MaxSpareThreads = arguments.GetValue("spares", options.MaxSpareThreads);
        options.LoopCount = arguments.GetValue("loops", options.LoopCount);
        options.Dispatch = arguments.GetValue("dispatch", options.Dispatch);
    }
}
