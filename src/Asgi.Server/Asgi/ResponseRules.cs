// Which responses have content (RFC 9110, sections 6.4.1 and 8.6). Asked by HttpExchange.
namespace Asgi;

internal static class ResponseRules
{
    /// <summary>Whether a response of this status has content: not 1xx, 204, 205 and 304.</summary>
    public static bool MayHaveContent(int status) => status is >= 200 or < 100 && status is not (204 or 205 or 304);

    /// <summary>The Content-Length that a response without content carries.</summary>
    /// <exception cref="InvalidOperationException">The application announced content that the status forbids.</exception>
    public static long? LengthWithoutContent(int status, long? announced) => status switch
    {
        // What a 200 would have carried (RFC 9110, section 15.4.5).
        304 => announced,
        205 when announced is null or 0 => 0,
        _ when announced is null or 0 => null,
        _ => throw new InvalidOperationException(
            $"A response with status {status} must not announce content: Content-Length is {announced}."),
    };

    /// <summary>A response without content has no Transfer-Encoding, but for 304, which may tell a GET's (RFC 9112, section 6.1).</summary>
    /// <exception cref="InvalidOperationException">The application has set one.</exception>
    public static void DemandNoTransferEncoding(int status, ResponseFieldTraits traits)
    {
        if (status != 304 && (traits & ResponseFieldTraits.HasTransferEncoding) != 0)
        {
            throw new InvalidOperationException($"A response with status {status} must not have Transfer-Encoding.");
        }
    }

    public static InvalidOperationException ContentForbidden(int status) =>
        new($"Writing to the response body is invalid for responses with status code {status}.");
}
