// The scope of a request: what is known of it before its content. Bound by a driver to the bytes of the head; read by the application.
// Strings are made when somebody asks, and kept for the next request of the connection when its bytes are the same.
using System.Net;
using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi;

/// <summary>
/// The ASGI <c>http</c> scope. Pooled with its connection: valid until the application's task completes. The spans it hands out are
/// borrowed from the receive buffer for as long.
/// </summary>
public sealed class HttpScope
{
    private byte[] _buffer = [];
    private HeadOffsets _offsets;
    private string? _method;
    private string _rawTarget = "";
    private string? _path;
    private string? _queryString;
    private TlsExtension? _tls;

    internal HttpScope(FieldSection headers, IConnectionInfo connection)
    {
        Headers = headers;
        Connection = connection;
    }

    /// <summary>The version of the protocol: <c>1.0</c>, <c>1.1</c> or <c>2</c>.</summary>
    public string HttpVersion => IsHttp2 ? "2" : _offsets.IsHttp11 ? "1.1" : "1.0";

    /// <summary>The method, as received: methods are case-sensitive (RFC 9110, section 9.1).</summary>
    public string Method => _method ??= KnownMethods.GetString(MethodBytes);

    /// <summary>
    /// The URI scheme: <c>http</c>, or <c>https</c> over TLS; over HTTP/2 another where the server allows alternate schemes.
    /// </summary>
    public string Scheme { get; internal set; } = "http";

    /// <summary>
    /// The path: percent-decoded once as UTF-8 except <c>%2F</c>, dot segments removed (RFC 3986, section 5.2.4). Empty for the authority
    /// and asterisk forms of the request target.
    /// </summary>
    public string Path
    {
        get
        {
            EnsureTarget();
            return _path ?? (IsBound ? _path = DecodePath() : "");
        }
    }

    /// <summary>The path as received, without the query. Borrowed.</summary>
    public ReadOnlySpan<byte> RawPath => _buffer.AsSpan(_offsets.PathStart, _offsets.PathLength);

    /// <summary>The query as received, without its question mark. Borrowed.</summary>
    public ReadOnlySpan<byte> QueryString => _offsets.QueryLength == 0
        ? []
        : _buffer.AsSpan(_offsets.QueryStart + 1, _offsets.QueryLength - 1);

    /// <summary>
    /// The request target as received (RFC 9112, section 3.2); over HTTP/2 the path, or the authority of a CONNECT without one (RFC 9113,
    /// sections 8.3.1 and 8.5).
    /// </summary>
    public string RawTarget
    {
        get
        {
            EnsureTarget();
            return _rawTarget;
        }
    }

    /// <summary>The field lines of the request, in the order received.</summary>
    public FieldSection Headers { get; }

    /// <summary>The address of the client; null when the transport has none, as with unix sockets.</summary>
    public EndPoint? Client => Connection.RemoteEndPoint;

    /// <summary>The address the client connected to.</summary>
    public EndPoint? Server => Connection.LocalEndPoint;

    /// <summary>The ASGI <c>tls</c> extension; null when the connection has no TLS of this server's.</summary>
    public TlsExtension? Tls => _tls ??= Connection.Tls is { } info ? new TlsExtension(info) : null;

    internal IConnectionInfo Connection { get; }

    /// <summary>The query with its question mark, or an empty string.</summary>
    internal string QueryStringWithMark
    {
        get
        {
            EnsureTarget();
            return _queryString ?? (IsBound ? _queryString = DecodeQuery() : "");
        }
    }

    // What is asked too late has an answer, but not one for the next request with the same target.
    private bool IsBound => _buffer.Length > 0;

    internal bool IsHead => MethodBytes.SequenceEqual("HEAD"u8);

    internal bool IsConnect => MethodBytes.SequenceEqual("CONNECT"u8);

    internal bool IsHttp11 => _offsets.IsHttp11;

    internal bool IsHttp2 { get; init; }

    /// <summary>
    /// The protocol that an extended CONNECT asks for (RFC 8441, section 4), such as <c>websocket</c>; null for all other requests.
    /// </summary>
    internal string? ConnectProtocol { get; set; }

    /// <summary>The method as received. Borrowed.</summary>
    internal ReadOnlySpan<byte> MethodBytes => _buffer.AsSpan(_offsets.MethodStart, _offsets.MethodLength);

    /// <summary>Binds the scope to a new head. The offsets are positions in <paramref name="buffer"/>.</summary>
    internal void Bind(byte[] buffer, in HeadOffsets offsets)
    {
        var isSameMethod = _method is not null && Ascii.Equals(buffer.AsSpan(offsets.MethodStart, offsets.MethodLength), _method);
        _buffer = buffer;
        _offsets = offsets;
        _isTargetKnown = false;
        if (!isSameMethod)
        {
            _method = null;
        }
    }

    /// <summary>The request is over: its bytes are another's soon, whoever keeps the scope.</summary>
    internal void Unbind()
    {
        _buffer = [];
        _offsets = default;
        _isTargetKnown = true;
    }

    private bool _isTargetKnown;

    // One comparison decides whether the strings of the last request serve again.
    private void EnsureTarget()
    {
        if (_isTargetKnown)
        {
            return;
        }

        _isTargetKnown = true;
        var target = _buffer.AsSpan(_offsets.TargetStart, _offsets.TargetLength);
        if (!Ascii.Equals(target, _rawTarget))
        {
            _rawTarget = Encoding.ASCII.GetString(target);
            _path = null;
            _queryString = null;
        }
    }

    private string DecodeQuery() =>
        _offsets.QueryLength == 0 ? "" : Encoding.ASCII.GetString(_buffer.AsSpan(_offsets.QueryStart, _offsets.QueryLength));

    private string DecodePath()
    {
        if (_offsets.PathLength > 0)
        {
            return RequestTarget.DecodePath(RawPath);
        }

        // The absolute form implies "/" (RFC 9110, section 4.2.3); the other two have no path.
        return _offsets.HasPath ? "/" : "";
    }

    /// <summary>Where the parts of a head lie in its buffer.</summary>
    internal readonly record struct HeadOffsets(
        int MethodStart,
        int MethodLength,
        int TargetStart,
        int TargetLength,
        int PathStart,
        int PathLength,
        int QueryStart,
        int QueryLength,
        bool HasPath,
        bool IsHttp11);
}
