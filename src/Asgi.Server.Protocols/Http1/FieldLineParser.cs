// Field lines (RFC 9112, section 5) of a head or a trailer section, resumable at any byte. Every byte is looked at once: each call
// goes on where the last one ran out of bytes. Called by Http1Machine only.

using System.Text.Unicode;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal struct FieldLineParser
{
    private const int None = -1;

    private int _sectionStart;
    private int _lineStart;
    private int _colon;    // None while the name is under way
    private int _scanned;  // everything before this offset is known to be well formed
    private bool _obsText; // the value under way has bytes above 0x7F

    /// <summary>Begins a section at <paramref name="offset"/> of the spans to come.</summary>
    public void Start(int offset)
    {
        _sectionStart = offset;
        StartLine(offset);
    }

    /// <summary>
    /// Parses what <paramref name="buffer"/> holds, which begins at the same byte in every call. True when the empty line after the
    /// section is complete, with the offset after it; otherwise a fault, or null to ask for more.
    /// </summary>
    public bool TryParse(ReadOnlySpan<byte> buffer, Http1Limits limits, FieldSection fields, out int end, out HttpFault? fault)
    {
        // No byte beyond the largest section and its empty line is ever looked at, so the answer cannot depend on how the bytes arrive.
        long limit = (long)_sectionStart + limits.MaxRequestHeadersTotalSize + 2;
        ReadOnlySpan<byte> window = buffer.Length > limit ? buffer[..(int)limit] : buffer;

        fault = null;
        while (!TryParseSectionEnd(window, out end, ref fault))
        {
            if (fault is null && TryParseName(window, ref fault) && TryParseValue(window, limits, fields, ref fault))
            {
                if (_lineStart - _sectionStart > limits.MaxRequestHeadersTotalSize)
                    fault = Http1Faults.FieldSectionTooLarge;
                else if (fields.Count > limits.MaxRequestHeaderCount)
                    fault = Http1Faults.TooManyFieldLines;
                else
                    continue;
            }
            if (fault is null && window.Length == limit)
                fault = Http1Faults.FieldSectionTooLarge;
            return false;
        }
        return true;
    }

    private void StartLine(int offset)
    {
        _lineStart = _scanned = offset;
        _colon = None;
        _obsText = false;
    }

    private readonly bool TryParseSectionEnd(ReadOnlySpan<byte> window, out int end, ref HttpFault? fault)
    {
        end = _lineStart + 2;
        if (_lineStart >= window.Length || window[_lineStart] != '\r' || end > window.Length)
            return false;
        if (window[_lineStart + 1] == '\n')
            return true;
        fault = Http1Faults.BareCarriageReturn;
        return false;
    }

    private bool TryParseName(ReadOnlySpan<byte> window, ref HttpFault? fault)
    {
        if (_colon != None)
            return true;
        int skipped = window[_scanned..].IndexOfAnyExcept(Grammar.TokenBytes);
        if (skipped < 0)
        {
            _scanned = window.Length;
            return false;
        }
        _scanned += skipped;
        if (window[_scanned] == ':' && _scanned > _lineStart)
        {
            _colon = _scanned++;
            return true;
        }
        // A CR that may yet become the empty line.
        if (_scanned != _lineStart || window[_scanned] != '\r')
            fault = JudgeName(window[_scanned], isFirst: _scanned == _lineStart);
        return false;
    }

    private static HttpFault JudgeName(byte delimiter, bool isFirst) => delimiter switch
    {
        (byte)'\n' => Http1Faults.BareLineFeed,
        (byte)' ' or (byte)'\t' => isFirst ? Http1Faults.LineFolding : Http1Faults.WhitespaceBeforeColon,
        _ => Http1Faults.InvalidFieldName,
    };

    private bool TryParseValue(ReadOnlySpan<byte> window, Http1Limits limits, FieldSection fields, ref HttpFault? fault)
    {
        if (!TrySkipValue(window))
            return false;
        if (window[_scanned] != '\r')
        {
            fault = window[_scanned] == '\n' ? Http1Faults.BareLineFeed : Http1Faults.InvalidFieldValue;
            return false;
        }
        if (_scanned + 1 == window.Length)
            return false;
        if (window[_scanned + 1] != '\n')
        {
            fault = Http1Faults.BareCarriageReturn;
            return false;
        }
        return TryAddLine(window, limits, fields, ref fault);
    }

    private bool TrySkipValue(ReadOnlySpan<byte> window)
    {
        int skipped = None;
        if (!_obsText)
        {
            skipped = window[_scanned..].IndexOfAnyExcept(Grammar.FieldValueAscii);
            _obsText = skipped >= 0 && window[_scanned + skipped] > 0x7F;
        }
        if (_obsText)
            skipped = window[_scanned..].IndexOfAnyExcept(Grammar.FieldValueBytes);
        _scanned = skipped < 0 ? window.Length : _scanned + skipped;
        return _scanned < window.Length;
    }

    private bool TryAddLine(ReadOnlySpan<byte> window, Http1Limits limits, FieldSection fields, ref HttpFault? fault)
    {
        int start = _colon + 1;
        int end = _scanned;
        while (start < end && Grammar.IsWhitespace(window[start]))
            start++;
        while (start < end && Grammar.IsWhitespace(window[end - 1]))
            end--;
        if (_obsText && !limits.AllowsAnyEncoding && !Utf8.IsValid(window[start..end]))
        {
            fault = Http1Faults.InvalidFieldValue;
            return false;
        }
        fields.Add(_lineStart, _colon - _lineStart, start, end - start);
        StartLine(_scanned + 2);
        return true;
    }
}
