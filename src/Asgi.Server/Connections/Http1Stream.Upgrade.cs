// The switch to another protocol (RFC 9110, section 7.8): from then on both directions are raw bytes. Called by the exchange, on the
// application's thread.
namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream
{
    public override bool IsUpgradable => _machine.Head is { ConnectionUpgrade: true, HasContent: false, IsHttp11: true };

    public override bool TryCountUpgrade() => _connection.TryCountAsUpgraded();

    public override void StopCountingUpgrade() => _connection.StopCountingAsUpgraded();

    public override void Upgrade()
    {
        KeepAlive = false;
        _connection.StopCounting();
        _connection.Record.Upgraded();
        ResponseRateMin = null;
        BecomeUpgraded();
    }

    protected override void BecomeRaw()
    {
        base.BecomeRaw();
        _content.BecomeRaw();
        _driver.OnUpgraded();
        _connection.ReceiveLater();
    }
}
