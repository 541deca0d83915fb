// The features of the sections around a response: interim responses before it, trailers behind it.
using Asgi.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal partial class HostedRequest : IHttpResponseTrailersFeature, IHttpInformationalResponseFeature
{
    private ResponseHeaders? _responseTrailers;
    private IHeaderDictionary? _replacedResponseTrailers;

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers
    {
        get => _replacedResponseTrailers ?? (_responseTrailers ??= new ResponseHeaders(_exchange, areTrailers: true, _encodings.Response));
        set => _replacedResponseTrailers = value;
    }

    ValueTask IHttpInformationalResponseFeature.SendInformationalAsync(
        int statusCode, IHeaderDictionary headers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(headers);
        var fields = ResponseHeaders.CopyOf(headers, encodings: _encodings.Response);
        return _exchange.SendAsync(new InformationalResponse(statusCode, fields), cancellationToken);
    }

    /// <summary>The trailers the application has set, or null for none.</summary>
    private ResponseHeaders? GetTrailers()
    {
        if (_replacedResponseTrailers is { Count: > 0 } replaced)
        {
            return ResponseHeaders.CopyOf(replaced, areTrailers: true, _encodings.Response);
        }

        return _replacedResponseTrailers is null && _responseTrailers is { Count: > 0 } ? _responseTrailers : null;
    }

    private void ResetSections()
    {
        _replacedResponseTrailers = null;
        _responseTrailers?.Reset();
    }
}
