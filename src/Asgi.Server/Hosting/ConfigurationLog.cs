// What an operator is told of a configuration that works and is not what it seems. On the host's threads.
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

internal static partial class ConfigurationLog
{
    public static void TellOf(ILogger logger, ConfigurationFindings findings)
    {
        if (findings.IsKestrelSectionIgnored)
        {
            KestrelSectionIgnored(logger);
        }

        foreach (var key in findings.UnknownKeys)
        {
            if (key.Nearest is null)
            {
                UnknownKey(logger, key.Path);
            }
            else
            {
                MistypedKey(logger, key.Path, key.Nearest);
            }
        }
    }

    public static void TellOfKestrelEndpoints(ILogger logger, IReadOnlyCollection<string> endpoints)
    {
        if (endpoints.Count > 0)
        {
            KestrelEndpointsIgnored(logger, string.Join(", ", endpoints.Distinct()));
        }
    }

    [LoggerMessage(203, LogLevel.Warning,
        "Endpoints added to Kestrel's options are not served: {Endpoints}. Add them to AsgiServerOptions or in configuration.",
        EventName = "KestrelEndpointsIgnored")]
    private static partial void KestrelEndpointsIgnored(ILogger logger, string endpoints);

    [LoggerMessage(207, LogLevel.Warning,
        "The configuration section Kestrel is not read, because there is a section AsgiServer.",
        EventName = "KestrelSectionIgnored")]
    private static partial void KestrelSectionIgnored(ILogger logger);

    [LoggerMessage(204, LogLevel.Warning,
        "The configuration key {Key} is unknown and has no effect. Is {Nearest} meant?",
        EventName = "UnknownConfigurationKey")]
    private static partial void MistypedKey(ILogger logger, string key, string nearest);

    [LoggerMessage(206, LogLevel.Warning,
        "The configuration key {Key} is unknown and has no effect.",
        EventName = "UnknownConfigurationKeyUnlikeAny")]
    private static partial void UnknownKey(ILogger logger, string key);
}
