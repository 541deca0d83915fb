// RFC 9112, section 9.3: persistence, from the version and the Connection options.

using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_09_3_PersistenceTests
{
    [Theory]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nconnection: CLOSE\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: a ,\tclose\t, b\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,,close,,\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: \r\n\r\n", true)]
    [Wire("GET / HTTP/1.0\r\n\r\n", false)]
    [Wire("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true)]
    [Wire("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false)]
    [Wire("GET / HTTP/1.0\r\nConnection: keepalive\r\n\r\n", false)]
    public void The_client_decides_by_version_and_option(Wire wire, bool persists) =>
        Assert.Equal(persists, Expect.Complete(wire).KeepAlive);

    [Theory]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: HTTP2-Settings,UPGRADE\r\n\r\n", true)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgraded\r\nUpgrade: x\r\n\r\n", false)]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n", false)]
    public void Upgrade_is_a_connection_option(Wire wire, bool upgrade)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal(upgrade, message.ConnectionUpgrade);
        Assert.True(message.KeepAlive);
    }
}
