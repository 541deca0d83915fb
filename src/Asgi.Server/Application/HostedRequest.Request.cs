// The features of the request: line, headers, content, trailers, identifier, limits.
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using MinDataRate = Microsoft.AspNetCore.Server.Kestrel.Core.MinDataRate;

namespace Asgi.Server.Application;

internal partial class HostedRequest :
    IHttpRequestFeature,
    IHttpRequestBodyDetectionFeature,
    IHttpRequestTrailersFeature,
    IHttpRequestIdentifierFeature,
    IHttpMaxRequestBodySizeFeature,
    IHttpMinRequestBodyDataRateFeature,
    IHttpMinResponseDataRateFeature,
    IHttpBodyControlFeature,
    IRequestBodyPipeFeature,
    IBadRequestExceptionFeature
{
    private string? _method;
    private string? _scheme;
    private string? _pathBase;
    private string? _path;
    private string? _queryString;
    private string? _rawTarget;
    private string? _protocol;
    private string? _traceIdentifier;
    private IHeaderDictionary? _replacedHeaders;
    private Stream? _replacedBody;
    private PipeReader? _replacedBodyReader;
    private Stream? _replacedBodyOfReader;
    private HeaderDictionary? _trailers;
    private readonly bool _allowsSynchronousIOByDefault;

    string IHttpRequestFeature.Protocol
    {
        get => _protocol ?? (_exchange.Scope.IsHttp2 ? "HTTP/2" : _exchange.Scope.IsHttp11 ? "HTTP/1.1" : "HTTP/1.0");
        set => _protocol = value;
    }

    string IHttpRequestFeature.Scheme
    {
        get => _scheme ?? _exchange.Scope.Scheme;
        set => _scheme = value;
    }

    string IHttpRequestFeature.Method
    {
        get => _method ?? _exchange.Scope.Method;
        set => _method = value;
    }

    string IHttpRequestFeature.PathBase
    {
        get => _pathBase ?? "";
        set => _pathBase = value;
    }

    string IHttpRequestFeature.Path
    {
        get => _path ?? _exchange.Scope.Path;
        set => _path = value;
    }

    string IHttpRequestFeature.QueryString
    {
        get => _queryString ?? _exchange.Scope.QueryStringWithMark;
        set => _queryString = value;
    }

    string IHttpRequestFeature.RawTarget
    {
        get => _rawTarget ?? _exchange.Scope.RawTarget;
        set => _rawTarget = value;
    }

    IHeaderDictionary IHttpRequestFeature.Headers
    {
        get => _replacedHeaders ?? _requestHeaders;
        set => _replacedHeaders = value;
    }

    Stream IHttpRequestFeature.Body
    {
        get => _replacedBody ?? BodyStream;
        set => _replacedBody = value;
    }

    bool IHttpRequestBodyDetectionFeature.CanHaveBody => _exchange.Stream.HasContent;

    bool IHttpRequestTrailersFeature.Available => _exchange.Stream.Trailers is not null;

    IHeaderDictionary IHttpRequestTrailersFeature.Trailers => _trailers ??= ReadTrailers();

    public string TraceIdentifier
    {
        get => _traceIdentifier ??=
            string.Create(CultureInfo.InvariantCulture, $"{_exchange.Scope.Connection.Id}:{_exchange.RequestNumber:X8}");
        set => _traceIdentifier = value;
    }

    bool IHttpMaxRequestBodySizeFeature.IsReadOnly => IsContentLengthMaxFixed;

    // What an extended CONNECT transfers is no content.
    private bool IsContentLengthMaxFixed => _exchange.Stream.HasReceived || _isUpgraded || _exchange.Scope.ConnectProtocol is not null;

    long? IHttpMaxRequestBodySizeFeature.MaxRequestBodySize
    {
        get => _exchange.Stream.ContentLengthMax;
        set
        {
            if (IsContentLengthMaxFixed)
            {
                throw new InvalidOperationException(
                    "The maximum request body size cannot be changed after the app has begun to read the body, or after an upgrade.");
            }

            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The maximum request body size is null or not negative.");
            }

            _exchange.Stream.ContentLengthMax = value;
        }
    }

    MinDataRate? IHttpMinRequestBodyDataRateFeature.MinDataRate
    {
        get => _exchange.Scope.IsHttp2
            ? throw new NotSupportedException("The rate is that of the connection, not of a request, because of HTTP/2 multiplexing.")
            : DataRates.ToMinDataRate(_exchange.Stream.RequestRateMin);
        set
        {
            if (_exchange.Scope.IsHttp2 && value is not null)
            {
                throw new NotSupportedException(
                    "The rate is that of the connection because of HTTP/2 multiplexing: a request can only be left out, by null.");
            }

            _exchange.Stream.RequestRateMin = DataRates.From(value);
        }
    }

    MinDataRate? IHttpMinResponseDataRateFeature.MinDataRate
    {
        get => DataRates.ToMinDataRate(_exchange.Stream.ResponseRateMin);
        set => _exchange.Stream.ResponseRateMin = DataRates.From(value);
    }

    bool IHttpBodyControlFeature.AllowSynchronousIO
    {
        get => AllowsSynchronousIO;
        set => AllowsSynchronousIO = value;
    }

    PipeReader IRequestBodyPipeFeature.Reader
    {
        get
        {
            if (_replacedBody is null)
            {
                return BodyReader;
            }

            if (_replacedBodyOfReader != _replacedBody)
            {
                var reader = PipeReader.Create(_replacedBody);
                _replacedBodyReader = reader;
                _replacedBodyOfReader = _replacedBody;
                ((IHttpResponseFeature)this).OnCompleted(static reader => ((PipeReader)reader).CompleteAsync().AsTask(), reader);
            }

            return _replacedBodyReader!;
        }
    }

    /// <summary>Whether streams of content may be read and written synchronously in this request.</summary>
    public bool AllowsSynchronousIO { get; private set; }

    Exception? IBadRequestExceptionFeature.Error => BadRequestError;

    /// <summary>The exception a refused request gave its reader.</summary>
    public BadHttpRequestException? BadRequestError { get; set; }

    private HeaderDictionary ReadTrailers()
    {
        var section = _exchange.Stream.Trailers
            ?? throw new InvalidOperationException("The request trailers are not available yet: the body must be read to its end first.");
        var trailers = new HeaderDictionary();
        for (var i = 0; i < section.Count; i++)
        {
            var name = Encoding.ASCII.GetString(section.GetName(i));
            trailers.Append(name, (_encodings.Request?.Invoke(name) ?? Encoding.UTF8).GetString(section.GetValue(i)));
        }

        return trailers;
    }

    private void ResetRequest()
    {
        _method = _scheme = _pathBase = _path = _queryString = _rawTarget = _protocol = _traceIdentifier = null;
        _replacedHeaders = null;
        _replacedBody = _replacedBodyOfReader = null;
        _replacedBodyReader = null;
        _trailers = null;
        AllowsSynchronousIO = _allowsSynchronousIOByDefault;
        BadRequestError = null;
        _requestHeaders.Reset();
        _bodyReader?.Reset();
    }
}
