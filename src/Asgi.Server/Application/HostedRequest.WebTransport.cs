// The WebTransport feature, which is there to say no: HTTP/1 has no sessions to accept. On whichever thread the application runs.
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

#pragma warning disable CA2252 // A preview interface; nothing of it but the refusal is used.
internal partial class HostedRequest : IHttpWebTransportFeature
{
    bool IHttpWebTransportFeature.IsWebTransportRequest => false;

    ValueTask<IWebTransportSession> IHttpWebTransportFeature.AcceptAsync(CancellationToken cancellationToken) =>
        throw new InvalidOperationException("Cannot accept a request that is not a WebTransport request.");
}
#pragma warning restore CA2252
