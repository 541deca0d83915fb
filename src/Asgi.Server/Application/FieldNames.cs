// Field names as strings: the well-known ones are never made twice. Any thread.
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Asgi.Server.Application;

internal static class FieldNames
{
    private static readonly string[][] ByLength = GroupByLength(
        HeaderNames.Accept, HeaderNames.AcceptCharset, HeaderNames.AcceptEncoding, HeaderNames.AcceptLanguage,
        HeaderNames.AccessControlRequestHeaders, HeaderNames.AccessControlRequestMethod, HeaderNames.Authorization,
        HeaderNames.Baggage, HeaderNames.CacheControl, HeaderNames.Connection, HeaderNames.ContentEncoding,
        HeaderNames.ContentLanguage, HeaderNames.ContentLength, HeaderNames.ContentLocation, HeaderNames.ContentRange,
        HeaderNames.ContentType, HeaderNames.Cookie, HeaderNames.CorrelationContext, HeaderNames.Date, HeaderNames.DNT,
        HeaderNames.Expect, HeaderNames.From, HeaderNames.GrpcAcceptEncoding, HeaderNames.GrpcEncoding, HeaderNames.GrpcTimeout,
        HeaderNames.Host, HeaderNames.IfMatch, HeaderNames.IfModifiedSince, HeaderNames.IfNoneMatch, HeaderNames.IfRange,
        HeaderNames.IfUnmodifiedSince, HeaderNames.KeepAlive, HeaderNames.MaxForwards, HeaderNames.Origin, HeaderNames.Pragma,
        HeaderNames.ProxyAuthorization, HeaderNames.Range, HeaderNames.Referer, HeaderNames.RequestId,
        HeaderNames.SecWebSocketExtensions, HeaderNames.SecWebSocketKey, HeaderNames.SecWebSocketProtocol,
        HeaderNames.SecWebSocketVersion, HeaderNames.TE, HeaderNames.TraceParent, HeaderNames.TraceState, HeaderNames.Trailer,
        HeaderNames.TransferEncoding, HeaderNames.Translate, HeaderNames.Upgrade, HeaderNames.UpgradeInsecureRequests,
        HeaderNames.UserAgent, HeaderNames.Via, HeaderNames.Warning, HeaderNames.XRequestedWith,
        "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform",
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-ID", "X-Real-IP", "Priority");

    /// <summary>The name in its usual case when it is well known, else as received.</summary>
    public static string GetString(ReadOnlySpan<byte> name)
    {
        if (name.Length < ByLength.Length)
        {
            foreach (var known in ByLength[name.Length])
            {
                if (Ascii.EqualsIgnoreCase(name, known))
                {
                    return known;
                }
            }
        }

        return Encoding.ASCII.GetString(name);
    }

    private static string[][] GroupByLength(params string[] names)
    {
        var groups = new string[names.Max(name => name.Length) + 1][];
        for (var length = 0; length < groups.Length; length++)
        {
            groups[length] = [.. names.Where(name => name.Length == length)];
        }

        return groups;
    }
}
