// Stand-ins until the drivers are merged.
namespace Asgi.Server.Connections;

internal abstract class StubDriver : ConnectionDriver
{
    public override bool WantsInput => false;
    public override bool UsesInput => false;
    public override void OnStarted() { }
    public override void OnReceived() { }
    public override void OnEndOfInput() { }
    public override void OnPeerShutdown() { }
    public override void OnSent() { }
    public override void OnDeadline(long nowMilliseconds) { }
    public override void ShutDown() { }
    public override void OnClosed() { }
}

#pragma warning disable CS9113
internal sealed class Http2Driver(Connection connection, IAsgiApplication application, DefaultFields fields) : StubDriver;
internal sealed class PrefaceDriver(Connection connection, Func<Connection, ConnectionDriver> http1, Func<Connection, ConnectionDriver> http2) : StubDriver;
