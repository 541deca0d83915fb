// The contract of an application: ASGI's app(scope, receive, send). Implemented by HostedApplication for ASP.NET and by native
// applications.
namespace Asgi;

/// <summary>An ASGI application: one call per request, as <c>app(scope, receive, send)</c> in the ASGI specification.</summary>
public interface IAsgiApplication
{
    /// <summary>
    /// Serves one HTTP request (scope type <c>http</c>). Starts on the thread of the connection's event loop; what follows an <c>await</c>
    /// that did not complete at once may run on another. The exchange is the application's until the returned task completes.
    /// </summary>
    /// <param name="exchange">The scope, receive and send of the request.</param>
    /// <returns>
    /// A task that completes when the application is done. If it fails, or completes without a whole response, the server answers 500 when
    /// nothing was sent yet, and otherwise closes the connection so that the client sees the truncation.
    /// </returns>
    ValueTask RunAsync(HttpExchange exchange);
}
