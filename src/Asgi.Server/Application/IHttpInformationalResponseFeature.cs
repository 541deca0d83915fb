// What ASP.NET has no feature for: interim responses. Implemented by HostedRequest; called by the application, on any thread.
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Features;

/// <summary>
/// Sends interim responses (RFC 9110, section 15.2) such as 102 Processing and 103 Early Hints (RFC 8297) before the response itself.
/// Found in <see cref="HttpContext.Features"/> of requests that Asgi.Server serves.
/// </summary>
public interface IHttpInformationalResponseFeature
{
    /// <summary>
    /// Sends an interim response at once, as often as wanted. To HTTP/1.0, which has none, nothing is sent; nor is a second 100, whether
    /// the first was the server's own or not. <c>OnStarting</c> callbacks do not run.
    /// </summary>
    /// <param name="statusCode">100 to 199, but not 101.</param>
    /// <param name="headers">The fields of the interim response; those of the response are not sent with it.</param>
    /// <param name="cancellationToken">Cancelling a send that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the server is ready for more.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is not 100 to 199, or is 101.</exception>
    /// <exception cref="InvalidOperationException">
    /// The response has started, or a field cannot be sent: Content-Length, Transfer-Encoding, and what is no field (RFC 9110, section 5).
    /// </exception>
    ValueTask SendInformationalAsync(int statusCode, IHeaderDictionary headers, CancellationToken cancellationToken = default);
}
