// HTTP/2 over a version of TLS that is too old for it (RFC 9113, section 9.2). The versions of OpenSSL that are about refuse such versions
// themselves, so the rule and the answer are tested each on its own.

using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class InadequateTlsTests
{
    [Theory]
    [InlineData(0x0C0, false)]
    [InlineData(0x300, false)]
    [InlineData((int)SslProtocols.Tls12, true)]
    [InlineData((int)SslProtocols.Tls13, true)]
    [InlineData((int)SslProtocols.None, false)]
    public void TLS_1_2_is_the_least(int version, bool isAdequate) =>
        Assert.Equal(isAdequate, EndpointDrivers.IsAdequate((SslProtocols)version));

    [Fact]
    public void A_client_is_told_INADEQUATE_SECURITY_and_the_connection_ends()
    {
        using var server = new SimulatedServer(
            (HttpExchange _) => default(ValueTask), before: _ => connection => new InadequateTlsDriver(connection));
        var client = server.Connect();
        server.Run();

        // SETTINGS; GOAWAY of stream 0, the last stream is 0, and the code is 0xC.
        Assert.Equal(
            "\0\0\0\x04\0\0\0\0\0" + "\0\0\x08\a\0\0\0\0\0" + "\0\0\0\0" + "\0\0\0\f",
            client.Received);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        client.ShutdownSend();
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
    }
}
