// The table of feature types with a slot of their own: first those that HostedRequest is itself, then those that others set in
// most requests.
using System.Collections.Frozen;
using Asgi.Server.Features;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Application;

internal static class FeatureSlots
{
    private static readonly Type[] Own =
    [
        typeof(IHttpRequestFeature),
        typeof(IHttpResponseFeature),
        typeof(IHttpResponseBodyFeature),
        typeof(IHttpRequestBodyDetectionFeature),
        typeof(IHttpRequestTrailersFeature),
        typeof(IRequestBodyPipeFeature),
        typeof(IHttpConnectionFeature),
        typeof(IHttpRequestLifetimeFeature),
        typeof(IHttpRequestIdentifierFeature),
        typeof(IHttpBodyControlFeature),
        typeof(IHttpMaxRequestBodySizeFeature),
        typeof(IHttpMinRequestBodyDataRateFeature),
        typeof(IHttpMinResponseDataRateFeature),
        typeof(IHttpUpgradeFeature),
        typeof(IHttpExtendedConnectFeature),
#pragma warning disable CA2252 // A preview interface, which says no on every request.
        typeof(IHttpWebTransportFeature),
#pragma warning restore CA2252
        typeof(IPersistentStateFeature),
        typeof(IEndpointFeature),
        typeof(IRouteValuesFeature),
        typeof(IBadRequestExceptionFeature),
        typeof(IHttpResponseTrailersFeature),
        typeof(IHttpInformationalResponseFeature),
        typeof(IHttpResetFeature),
        typeof(IHttp2StreamIdFeature),
    ];

    private static readonly Type[] Others =
    [
        typeof(IServiceProvidersFeature),
        typeof(IHttpActivityFeature),
        typeof(IHttpMetricsTagsFeature),
        typeof(IItemsFeature),
        typeof(IQueryFeature),
        typeof(IFormFeature),
        typeof(IHttpAuthenticationFeature),
        typeof(ISessionFeature),
        typeof(IResponseCookiesFeature),
        typeof(ITlsConnectionFeature),
        typeof(IHttpWebSocketFeature),
    ];

    public static readonly Type[] Types = [.. Own, .. Others];

    private static readonly FrozenDictionary<Type, int> ByType =
        Types.Select((type, index) => KeyValuePair.Create(type, index)).ToFrozenDictionary();

    public static int OwnCount => Own.Length;

    /// <summary>The one feature that is there only while its response can have it.</summary>
    public static readonly int ResponseTrailers = Array.IndexOf(Types, typeof(IHttpResponseTrailersFeature));

    /// <summary>A bit per own slot: those that a request of HTTP/1 has.</summary>
    public static readonly ulong OfHttp1 = AllOwnBut(typeof(IHttpResetFeature), typeof(IHttp2StreamIdFeature));

    /// <summary>Those of HTTP/2, where a connection's rate is no request's to set.</summary>
    public static readonly ulong OfHttp2 = AllOwnBut(typeof(IHttpMinResponseDataRateFeature));

    public static int Count => Types.Length;

    public static bool TryGet(Type type, out int slot) => ByType.TryGetValue(type, out slot);

    private static ulong AllOwnBut(params ReadOnlySpan<Type> types)
    {
        var slots = (1UL << Own.Length) - 1;
        foreach (var type in types)
        {
            slots &= ~(1UL << Array.IndexOf(Types, type));
        }

        return slots;
    }

    /// <summary>The slot of a type, looked up once per type.</summary>
    public static class Of<TFeature>
    {
        public static readonly int Index = TryGet(typeof(TFeature), out var slot) ? slot : -1;
    }
}
