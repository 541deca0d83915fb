// Handshakes on the simulated loop: versions, keys, splits, ends.

using System.Security.Authentication;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class HandshakeTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void A_request_is_answered_over_each_version(SslProtocols version)
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server, version: version);

        Assert.Equal(version, client.Stream.SslProtocol);
        Assert.Equal("/one", client.Get("GET /one HTTP/1.1\r\nHost: a\r\n\r\n").Content);
        Assert.Equal("/two", client.Get("GET /two HTTP/1.1\r\nHost: a\r\n\r\n").Content);
        server.DemandNothingLeft();
    }
}
