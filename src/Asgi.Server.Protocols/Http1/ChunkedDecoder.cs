// The chunked transfer coding (RFC 9112, section 7.1), decoded in place, resumable at any byte. Called by Http1Machine only.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal struct ChunkedDecoder
{
    // Eight digits are 4 GiB a chunk; more are needed by nobody and overflow the arithmetic of weaker parsers.
    private const int MaxSizeDigits = 8;

    private State _state;
    private int _digits;
    private uint _size;      // the size line under way, then what is left of the chunk
    private int _extensions; // bytes of them in the whole message

    private enum State : byte
    {
        Size,
        Extension,
        SizeLineFeed,
        Data,
        DataCarriageReturn,
        DataLineFeed,
        LastChunk,
    }

    /// <summary>Whether the last chunk was read; the trailer section follows.</summary>
    public readonly bool IsComplete => _state == State.LastChunk;

    /// <summary>
    /// Decodes all of <paramref name="buffer"/> up to the last chunk and moves the content to its front. Content that was decoded before
    /// a fault is delivered first; the next call meets the same byte again.
    /// </summary>
    public HttpFault? Decode(Span<byte> buffer, Http1Limits limits, out int consumed, out int content)
    {
        consumed = content = 0;
        HttpFault? fault = null;
        while (consumed < buffer.Length && fault is null && !IsComplete)
        {
            if (_state == State.Data)
                MoveData(buffer, ref consumed, ref content);
            else if (_state == State.Extension)
                fault = SkipExtension(buffer, limits, ref consumed);
            else if ((fault = Step(buffer[consumed])) is null)
                consumed++;
        }
        return content > 0 ? null : fault;
    }

    /// <summary>One byte of a size line or of the end of a chunk; a fault leaves the state as it was.</summary>
    private HttpFault? Step(byte b)
    {
        switch (_state)
        {
            case State.Size:
                return StepSize(b);

            case State.SizeLineFeed:
                if (b != '\n')
                    return Http1Faults.BareCarriageReturn;
                _state = _size == 0 ? State.LastChunk : State.Data;
                return null;

            case State.DataCarriageReturn:
                if (b != '\r')
                    return Http1Faults.InvalidChunkEnd;
                _state = State.DataLineFeed;
                return null;

            default:
                if (b != '\n')
                    return Http1Faults.InvalidChunkEnd;
                _state = State.Size;
                _digits = 0;
                return null;
        }
    }

    private HttpFault? StepSize(byte b)
    {
        if (char.IsAsciiHexDigit((char)b) && _digits < MaxSizeDigits)
        {
            uint digit = (uint)(b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10);
            _size = (_digits == 0 ? 0 : _size << 4) | digit;
            _digits++;
            return null;
        }
        // Whitespace here is BWS at best (RFC 9112, 7.1.1), which nobody sends but those who hope that a proxy reads it otherwise.
        if (_digits > 0 && b == '\r')
        {
            _state = State.SizeLineFeed;
            return null;
        }
        if (_digits > 0 && b == ';')
        {
            _state = State.Extension;
            _extensions++;
            return null;
        }
        return b == '\n' ? Http1Faults.BareLineFeed : Http1Faults.InvalidChunkSize;
    }

    /// <summary>Extensions are skipped unread (RFC 9112, 7.1.1), but no control character may hide in them.</summary>
    private HttpFault? SkipExtension(ReadOnlySpan<byte> buffer, Http1Limits limits, ref int consumed)
    {
        int length = buffer[consumed..].IndexOfAnyExcept(Grammar.FieldValueBytes);
        bool isEnd = length >= 0;
        if (!isEnd)
            length = buffer.Length - consumed;
        if (length > limits.MaxChunkExtensionSize - _extensions)
            return Http1Faults.ChunkExtensionsTooLong;
        if (isEnd && buffer[consumed + length] != '\r')
            return buffer[consumed + length] == '\n' ? Http1Faults.BareLineFeed : Http1Faults.InvalidChunkExtension;

        _extensions += length;
        consumed += length;
        if (isEnd)
        {
            consumed++;
            _state = State.SizeLineFeed;
        }
        return null;
    }

    private void MoveData(Span<byte> buffer, ref int consumed, ref int content)
    {
        int length = (int)Math.Min(_size, (uint)(buffer.Length - consumed));
        if (content != consumed)
            buffer.Slice(consumed, length).CopyTo(buffer[content..]);
        consumed += length;
        content += length;
        _size -= (uint)length;
        if (_size == 0)
            _state = State.DataCarriageReturn;
    }
}
