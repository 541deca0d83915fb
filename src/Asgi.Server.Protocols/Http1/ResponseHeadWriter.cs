// The head of a response on the wire (RFC 9112, sections 4 and 5), and the last guard against response splitting: whatever was checked
// when the application set it is checked again here, since it may have changed. Called by Http1Stream; no state.

using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal enum HeadResult
{
    Done,

    /// <summary>The destination is too small; nothing counts as written.</summary>
    TooSmall,

    /// <summary>A name, a value or the status line may not be sent; nothing counts as written.</summary>
    InvalidField,
}

internal static class ResponseHeadWriter
{
    private const int MaxStatus = 9999;

    /// <inheritdoc cref="TryWrite(Span{byte}, in ResponseHead, FieldSource?, out int, out string?)"/>
    public static HeadResult TryWrite(Span<byte> destination, in ResponseHead head, FieldSource? fields, out int written) =>
        TryWrite(destination, head, fields, out written, out _);

    /// <summary>
    /// Writes a whole head. <paramref name="written"/> is 0 unless the result is Done; <paramref name="invalid"/> names the field, or the
    /// part of the status line, that may not be sent.
    /// </summary>
    public static HeadResult TryWrite(
        Span<byte> destination, in ResponseHead head, FieldSource? fields, out int written, out string? invalid)
    {
        Debug.Assert(!head.Chunked || head.ContentLength is null, "Content-Length and Transfer-Encoding exclude each other.");
        Debug.Assert(head.ContentLength is null or >= 0);

        var output = new HeadOutput(destination);
        WriteStatusLine(ref output, head);
        if (head.ContentLength is long length)
        {
            output.Append("Content-Length: "u8);
            output.Append(length);
            output.Append("\r\n"u8);
        }
        output.Append(GetLine(head.Connection));
        output.Append(head.Common.Span);
        if (fields is not null)
            WriteFields(ref output, fields);
        output.Append(head.Chunked ? "Transfer-Encoding: chunked\r\n\r\n"u8 : "\r\n"u8);

        invalid = output.Invalid;
        written = output.Written;
        return output.Result;
    }

    /// <summary>
    /// Writes the end of chunked content with a trailer section: the last chunk, the fields and the empty line. The results are those of a
    /// head.
    /// </summary>
    public static HeadResult TryWriteTrailers(Span<byte> destination, FieldSource trailers, out int written, out string? invalid)
    {
        var output = new HeadOutput(destination);
        output.Append(ChunkedCoding.LastChunkBeforeTrailers);
        WriteFields(ref output, trailers);
        output.Append("\r\n"u8);
        invalid = output.Invalid;
        written = output.Written;
        return output.Result;
    }

    private static ReadOnlySpan<byte> GetLine(ConnectionOption option) => option switch
    {
        ConnectionOption.Close => "Connection: close\r\n"u8,
        ConnectionOption.KeepAlive => "Connection: keep-alive\r\n"u8,
        ConnectionOption.Upgrade => "Connection: Upgrade\r\n"u8,
        _ => default,
    };

    private static void WriteStatusLine(ref HeadOutput output, in ResponseHead head)
    {
        ReadOnlySpan<byte> line = head.ReasonPhrase is null ? ReasonPhrases.GetStatusLine(head.Status) : default;
        if (!line.IsEmpty)
        {
            output.Append(line);
            return;
        }
        if (head.Status is < 0 or > MaxStatus)
        {
            output.Refuse("status-code");
            return;
        }
        output.Append("HTTP/1.1 "u8);
        output.Append(head.Status);
        // The space stays when the phrase is empty (RFC 9112, 4).
        output.Append(" "u8);
        output.AppendText(head.ReasonPhrase, "reason-phrase");
        output.Append("\r\n"u8);
    }

    private static void WriteFields(ref HeadOutput output, FieldSource fields)
    {
        FieldCursor cursor = default;
        while (output.Result == HeadResult.Done && fields.Next(ref cursor))
        {
            if (!Grammar.IsToken(cursor.Name))
            {
                output.Refuse(cursor.Name ?? string.Empty);
                return;
            }
            output.AppendText(cursor.Name, cursor.Name);
            output.Append(": "u8);
            if (cursor.Encoding is null)
                output.AppendText(cursor.Value, cursor.Name);
            else
                output.AppendEncoded(cursor.Value, cursor.Encoding, cursor.Name);
            output.Append("\r\n"u8);
        }
    }

    /// <summary>The rest of the destination, which is empty after the first thing that went wrong.</summary>
    private ref struct HeadOutput(Span<byte> destination)
    {
        private readonly int _size = destination.Length;
        private Span<byte> _rest = destination;

        public HeadResult Result { get; private set; }

        public string? Invalid { get; private set; }

        public readonly int Written => Result == HeadResult.Done ? _size - _rest.Length : 0;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (bytes.TryCopyTo(_rest))
                _rest = _rest[bytes.Length..];
            else
                Fail();
        }

        public void Append(long number)
        {
            if (Utf8Formatter.TryFormat(number, _rest, out int length))
                _rest = _rest[length..];
            else
                Fail();
        }

        /// <summary>Appends text that may hold HTAB and 0x20-0x7E only.</summary>
        public void AppendText(ReadOnlySpan<char> text, string name)
        {
            if (Result != HeadResult.Done)
                return;
            if (text.Length > _rest.Length)
            {
                // The caller gets a larger destination only for a head that can be sent.
                Fail();
                if (!Grammar.IsFieldValue(text))
                    Refuse(name);
            }
            else if (FieldText.TryNarrow(text, _rest))
            {
                _rest = _rest[text.Length..];
            }
            else
            {
                Refuse(name);
            }
        }

        /// <summary>Appends text in an encoding that has been chosen; what it becomes must still be a field value.</summary>
        public void AppendEncoded(ReadOnlySpan<char> text, Encoding encoding, string name)
        {
            if (Result != HeadResult.Done)
                return;
            try
            {
                if (!encoding.TryGetBytes(text, _rest, out int length))
                {
                    Fail();
                    if (!Grammar.IsText(text))
                        Refuse(name);
                }
                else if (!Grammar.IsText(text) || _rest[..length].ContainsAnyExcept(Grammar.FieldValueBytes))
                {
                    Refuse(name);
                }
                else
                {
                    _rest = _rest[length..];
                }
            }
            catch (EncoderFallbackException)
            {
                Refuse(name);
            }
        }

        public void Refuse(string name)
        {
            Result = HeadResult.InvalidField;
            Invalid = name;
            _rest = default;
        }

        private void Fail()
        {
            if (Result == HeadResult.Done)
                Result = HeadResult.TooSmall;
            _rest = default;
        }
    }
}
