// The features of HTTP/2: resetting a stream, its identifier, and the extended CONNECT by which WebSockets come (RFC 8441). On whichever
// thread the application runs.
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Application;

internal partial class HostedRequest : IHttpResetFeature, IHttp2StreamIdFeature, IHttpExtendedConnectFeature
{
    int IHttp2StreamIdFeature.StreamId => (int)_exchange.RequestNumber;

    bool IHttpExtendedConnectFeature.IsExtendedConnect => _exchange.Scope.ConnectProtocol is not null;

    string? IHttpExtendedConnectFeature.Protocol => _exchange.Scope.ConnectProtocol;

    void IHttpResetFeature.Reset(int errorCode) => _exchange.AbortStream(errorCode);

    async ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync()
    {
        if (_exchange.Scope.ConnectProtocol is null)
        {
            throw new InvalidOperationException("Cannot accept a request that is not an extended CONNECT.");
        }

        if (_isUpgraded)
        {
            throw new InvalidOperationException("The extended CONNECT was accepted already.");
        }

        if (_statusCode is < 200 or > 299)
        {
            throw new InvalidOperationException($"An extended CONNECT is accepted with a status of 2xx, not {_statusCode}.");
        }

        DemandNotStarted();
        _isUpgraded = true;
        await EnsureStartedAsync().ConfigureAwait(false);
        _exchange.Upgrade();
        await _exchange.FlushAsync().ConfigureAwait(false);
        _bodyWriter.MarkCompleted();
        return new UpgradedStream(_exchange, BodyStream, this);
    }
}
