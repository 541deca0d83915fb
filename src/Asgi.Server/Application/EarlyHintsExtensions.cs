// Early hints in one call. The application's, on any thread.
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Asgi.Server.Features;

/// <summary>Early hints for ASP.NET apps.</summary>
public static class EarlyHintsExtensions
{
    private const int StatusEarlyHints = 103;

    /// <summary>
    /// Sends 103 Early Hints (RFC 8297), by which a browser loads what the page will need while the app still makes the page. Hints are
    /// optional: on another server, and to HTTP/1.0, nothing is sent.
    /// </summary>
    /// <param name="response">The response that is to follow; it must not have started.</param>
    /// <param name="links">Values of <c>Link</c> (RFC 8288), each a field line: <c>&lt;/site.css&gt;; rel=preload; as=style</c>.</param>
    /// <param name="cancellationToken">Cancelling a send that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the server is ready for more.</returns>
    /// <exception cref="InvalidOperationException">The response has started, or a value has characters that cannot be sent.</exception>
    public static ValueTask SendEarlyHintsAsync(
        this HttpResponse response, StringValues links, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(response);
        return response.HttpContext.Features.Get<IHttpInformationalResponseFeature>() is { } feature
            ? feature.SendInformationalAsync(
                StatusEarlyHints, new HeaderDictionary { [HeaderNames.Link] = links }, cancellationToken)
            : ValueTask.CompletedTask;
    }
}
