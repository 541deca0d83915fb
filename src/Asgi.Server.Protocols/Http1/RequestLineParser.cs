// The request line (RFC 9112, section 3), element by element, resumable at any byte. Every byte is looked at once: each call goes on
// where the last one ran out of bytes. Called by Http1Machine only.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal struct RequestLineParser
{
    private Element _element;
    private int _start;   // of the element under way
    private int _scanned; // everything before this offset is known to be well formed

    private enum Element
    {
        EmptyLines,
        Method,
        Target,
        Version,
    }

    /// <summary>Whether a request line has begun; empty lines before it do not count.</summary>
    public readonly bool HasBegun => _element != Element.EmptyLines;

    /// <summary>The size of the empty lines that may be dropped while no request line has begun.</summary>
    public int TakeEmptyLines()
    {
        if (HasBegun)
            return 0;
        int size = _start;
        _start = _scanned = 0;
        return size;
    }

    /// <summary>
    /// Parses what <paramref name="window"/> holds, which begins at the same byte in every call. True when the line is complete, with
    /// the offset after it; otherwise a fault, or null to ask for more.
    /// </summary>
    public bool TryParse(ReadOnlySpan<byte> window, RequestHead head, out int end, out HttpFault? fault)
    {
        end = 0;
        return TrySkipEmptyLines(window, out fault)
            && TryParseMethod(window, head, ref fault)
            && TryParseTarget(window, head, ref fault)
            && TryParseVersion(window, head, out end, ref fault)
            && (fault = TargetParser.Parse(window, head)) is null;
    }

    /// <summary>
    /// A server skips at least one empty line before a request (RFC 9112, 2.2); the limit of the request line bounds their number.
    /// </summary>
    private bool TrySkipEmptyLines(ReadOnlySpan<byte> window, out HttpFault? fault)
    {
        fault = null;
        if (_element != Element.EmptyLines)
            return true;
        while (_start < window.Length && window[_start] == '\r')
        {
            if (_start + 1 == window.Length)
                return false;
            if (window[_start + 1] != '\n')
            {
                fault = Http1Faults.BareCarriageReturn;
                return false;
            }
            _start += 2;
        }
        if (_start == window.Length)
            return false;
        _scanned = _start;
        _element = Element.Method;
        return true;
    }

    private bool TryParseMethod(ReadOnlySpan<byte> window, RequestHead head, ref HttpFault? fault)
    {
        if (_element != Element.Method)
            return true;
        int skipped = window[_scanned..].IndexOfAnyExcept(Grammar.TokenBytes);
        if (!TryEndElement(window, skipped, Http1Faults.InvalidMethod, ref fault))
            return false;
        head.MethodStart = _start;
        head.MethodLength = _scanned - _start;
        _start = ++_scanned;
        _element = Element.Target;
        return true;
    }

    private bool TryParseTarget(ReadOnlySpan<byte> window, RequestHead head, ref HttpFault? fault)
    {
        if (_element != Element.Target)
            return true;
        int skipped = window[_scanned..].IndexOfAnyExcept(Grammar.TargetBytes);
        if (!TryEndElement(window, skipped, Http1Faults.InvalidTarget, ref fault))
            return false;
        head.TargetStart = _start;
        head.TargetLength = _scanned - _start;
        _start = ++_scanned;
        _element = Element.Version;
        return true;
    }

    /// <summary>Ends a method or target at its one space.</summary>
    private bool TryEndElement(ReadOnlySpan<byte> window, int skipped, HttpFault invalid, ref HttpFault? fault)
    {
        if (skipped < 0)
        {
            _scanned = window.Length;
            return false;
        }
        _scanned += skipped;
        byte delimiter = window[_scanned];
        if (delimiter == ' ' && _scanned > _start)
            return true;
        fault = delimiter == '\n' ? Http1Faults.BareLineFeed : invalid;
        return false;
    }

    private bool TryParseVersion(ReadOnlySpan<byte> window, RequestHead head, out int end, ref HttpFault? fault)
    {
        ReadOnlySpan<byte> rest = window[_start..];
        end = _start + "HTTP/1.1\r\n"u8.Length;
        if (rest.StartsWith("HTTP/1.1\r\n"u8))
        {
            head.IsHttp11 = true;
            return true;
        }

        int skipped = window[_scanned..].IndexOfAnyExcept(Grammar.VisibleBytes);
        _scanned = skipped < 0 ? window.Length : _scanned + skipped;
        if (_scanned == window.Length)
            return false;
        if (window[_scanned] != '\r')
            fault = window[_scanned] == '\n' ? Http1Faults.BareLineFeed : Http1Faults.InvalidVersion;
        else if (_scanned + 1 == window.Length)
            return false;
        else if (window[_scanned + 1] != '\n')
            fault = Http1Faults.BareCarriageReturn;
        else
            fault = JudgeVersion(window[_start.._scanned]);

        head.IsHttp11 = false;
        return fault is null;
    }

    /// <summary>
    /// HTTP-version is case-sensitive (RFC 9112, 2.3). Whatever has its length is taken for a version that is not supported, "http/1.1"
    /// and the HTTP/2 preface included, the rest for no version at all.
    /// </summary>
    private static HttpFault? JudgeVersion(ReadOnlySpan<byte> version)
    {
        if (version.SequenceEqual("HTTP/1.0"u8))
            return null;
        return version.Length == "HTTP/1.1"u8.Length ? Http1Faults.UnsupportedVersion : Http1Faults.InvalidVersion;
    }
}
