// SslStream that knows whose it is: the callbacks it makes get it as their sender, and the options they are set in may be those of all
// connections of an endpoint.
using System.Net.Security;

namespace Asgi.Server.Connections;

internal sealed class TlsStream(TlsWire wire, TlsInfo info) : SslStream(wire, leaveInnerStreamOpen: true)
{
    public TlsInfo Info => info;
}
