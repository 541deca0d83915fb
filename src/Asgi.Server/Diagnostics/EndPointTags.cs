// The tags that all measurements of a connection have: where it was accepted (OpenTelemetry's semantic conventions, as Kestrel's). Any
// thread; called when somebody listens.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Asgi.Server.Diagnostics;

internal static class EndPointTags
{
    public static TagList Of(EndPoint? local)
    {
        var tags = default(TagList);
        switch (local)
        {
            case IPEndPoint ip:
                tags.Add("server.address", ip.Address.ToString());
                tags.Add("server.port", ip.Port);
                tags.Add("network.transport", "tcp");
                tags.Add("network.type", IsVersion4(ip.Address) ? "ipv4" : "ipv6");
                break;
            case UnixDomainSocketEndPoint unix:
                tags.Add("server.address", unix.ToString());
                tags.Add("network.transport", "unix");
                break;
        }

        return tags;
    }

    private static bool IsVersion4(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
}
