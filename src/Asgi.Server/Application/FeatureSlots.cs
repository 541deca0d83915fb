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

    public static int Count => Types.Length;

    public static bool TryGet(Type type, out int slot) => ByType.TryGetValue(type, out slot);

    /// <summary>The slot of a type, looked up once per type.</summary>
    public static class Of<TFeature>
    {
        public static readonly int Index = TryGet(typeof(TFeature), out var slot) ? slot : -1;
    }
}
