// The events of refused requests, on the DiagnosticListener of ASP.NET: who subscribes gets features, as from Kestrel. Of a refused head
// there is no request, so a few features stand for it; content that was refused comes with the request's own. Any thread.
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Asgi.Server.Diagnostics;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal sealed class BadRequestEvents(DiagnosticListener listener) : IBadRequestEvents
{
    public const string EventName = "Asgi.Server.BadRequest";

    /// <summary>Written too, because those who subscribe to it ask for it by name.</summary>
    public const string KestrelEventName = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public void HeadRefused(string connectionId, IConnectionEndPoints endPoints, int status, string reason)
    {
        if (!IsEnabled)
        {
            return;
        }

        var refused = new RefusedHead(new BadHttpRequestException(reason, status), connectionId, endPoints);
        var features = new FeatureCollection();
        features.Set<IBadRequestExceptionFeature>(refused);
        features.Set<IHttpConnectionFeature>(refused);
        features.Set<IConnectionIdFeature>(refused);
        Write(features);
    }

    /// <summary>Content was refused, and the exception has left the application.</summary>
    public void ContentRefused(IFeatureCollection request)
    {
        if (IsEnabled)
        {
            Write(request);
        }
    }

    private bool IsEnabled => listener.IsEnabled(EventName) || listener.IsEnabled(KestrelEventName);

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Who subscribes casts to IFeatureCollection and does not reflect.")]
    private void Write(IFeatureCollection features)
    {
        if (listener.IsEnabled(EventName))
        {
            listener.Write(EventName, features);
        }

        if (listener.IsEnabled(KestrelEventName))
        {
            listener.Write(KestrelEventName, features);
        }
    }

    /// <summary>What is known of a request that never became one.</summary>
    private sealed class RefusedHead(Exception error, string connectionId, IConnectionEndPoints endPoints)
        : IBadRequestExceptionFeature, IHttpConnectionFeature, IConnectionIdFeature
    {
        public Exception? Error => error;

        public string ConnectionId { get; set; } = connectionId;

        public IPAddress? RemoteIpAddress { get; set; } = (endPoints.RemoteEndPoint as IPEndPoint)?.Address;

        public IPAddress? LocalIpAddress { get; set; } = (endPoints.LocalEndPoint as IPEndPoint)?.Address;

        public int RemotePort { get; set; } = (endPoints.RemoteEndPoint as IPEndPoint)?.Port ?? 0;

        public int LocalPort { get; set; } = (endPoints.LocalEndPoint as IPEndPoint)?.Port ?? 0;
    }
}
