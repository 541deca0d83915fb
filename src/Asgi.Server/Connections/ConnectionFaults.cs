// What can be wrong with a request that is no matter of its syntax. Values as in Http1Faults.
using System.Globalization;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

internal static class ConnectionFaults
{
    /// <summary>The name of what <see cref="TooLarge"/> makes.</summary>
    public const string TooLargeName = "max_request_body_size_exceeded";

    /// <summary>The head did not arrive within its time.</summary>
    public static readonly HttpFault HeadTimeout =
        new("request_headers_timeout", 408, "Reading the request headers timed out.", "RFC 9110 15.5.9");

    /// <summary>The content came more slowly than the least rate.</summary>
    public static readonly HttpFault TooSlow =
        new(
            "min_request_body_data_rate",
            408,
            "Reading the request body timed out due to data arriving too slowly. See MinRequestBodyDataRate.",
            "RFC 9110 15.5.9");

    /// <summary>The connection ended before the content did.</summary>
    public static readonly HttpFault UnexpectedEnd =
        new("unexpected_end_of_request_content", 400, "Unexpected end of request content.", "RFC 9112 8");

    /// <summary>The content is longer than the request may have; the message tells the limit, so it is made when needed.</summary>
    public static HttpFault TooLarge(long lengthMax) => new(
        TooLargeName,
        413,
        string.Create(CultureInfo.InvariantCulture, $"Request body too large. The max request body size is {lengthMax} bytes."),
        "RFC 9110 15.5.14");
}
