// What receiving is in HTTP/1: content lies in the connection's input. The rest is every version's (ReceivingStream).
namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream
{
    protected override void OnAwaitBegan()
    {
        _content.Await(mayContinue: !_isHeadWritten);
        _connection.ReceiveLater();
    }

    protected override void OnAwaitEnded() => _content.EndAwait();

    protected override void Receive(in RequestBody body) => _driver.ReadyReceived(body);
}
