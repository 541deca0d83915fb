// The fields of a response as the head writers need them: a source of lines, and what the lines mean for framing and defaults.
using System.Globalization;
using Asgi.Server.Protocols.Http;

namespace Asgi;

/// <summary>What the fields of a response say about things the server must know or would add itself.</summary>
[Flags]
public enum ResponseFieldTraits
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>The fields have a Date of their own.</summary>
    HasDate = 1,

    /// <summary>The fields have a Server of their own.</summary>
    HasServer = 2,

    /// <summary>The fields have a Connection of their own.</summary>
    HasConnection = 4,

    /// <summary>Connection lists keep-alive.</summary>
    KeepAlive = 8,

    /// <summary>The fields have a Transfer-Encoding: the application frames the content itself.</summary>
    HasTransferEncoding = 16,

    /// <summary>The last transfer coding is chunked.</summary>
    IsChunked = 32,
}

/// <summary>The fields of a response. Content-Length is a property and no line, since the server needs it as a number.</summary>
public abstract class ResponseFields : FieldSource
{
    /// <summary>The length of the content in bytes, or null when the application does not say.</summary>
    public abstract long? ContentLength { get; }

    /// <summary>What the lines mean to the server.</summary>
    public abstract ResponseFieldTraits Traits { get; }

    /// <summary>The traits that one field line adds.</summary>
    internal static ResponseFieldTraits TraitsOf(string name, string value)
    {
        if (name.Equals("Date", StringComparison.OrdinalIgnoreCase))
        {
            return ResponseFieldTraits.HasDate;
        }

        if (name.Equals("Server", StringComparison.OrdinalIgnoreCase))
        {
            return ResponseFieldTraits.HasServer;
        }

        if (name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
        {
            return ResponseFieldTraits.HasConnection | (ListContains(value, "keep-alive") ? ResponseFieldTraits.KeepAlive : 0);
        }

        if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
        {
            var isChunked = LastOf(value).Equals("chunked", StringComparison.OrdinalIgnoreCase);
            return ResponseFieldTraits.HasTransferEncoding | (isChunked ? ResponseFieldTraits.IsChunked : ResponseFieldTraits.None);
        }

        return ResponseFieldTraits.None;
    }

    private static bool ListContains(string list, string token)
    {
        foreach (var part in list.AsSpan().Split(','))
        {
            if (list.AsSpan(part).Trim(" \t").Equals(token, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> LastOf(string list) => list.AsSpan(list.LastIndexOf(',') + 1).Trim(" \t");
}

/// <summary>A plain list of response fields, for native applications. May be shared between requests once it is filled.</summary>
public sealed class FieldList : ResponseFields
{
    private readonly List<(string Name, string Value)> _lines = [];
    private long? _contentLength;
    private ResponseFieldTraits _traits;

    /// <inheritdoc/>
    public override long? ContentLength => _contentLength;

    /// <inheritdoc/>
    public override ResponseFieldTraits Traits => _traits;

    /// <summary>
    /// Adds a field line. A repeated name gives a further line. Transfer-Encoding is ignored: framing is the server's (ASGI, HTTP message
    /// format).
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The name is no token, the value has characters outside 0x20-0x7E and TAB (RFC 9110, section 5), or Content-Length is no number or
    /// given twice.
    /// </exception>
    public FieldList Add(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        if (!Grammar.IsToken(name))
        {
            throw new ArgumentException($"'{name}' is not a field name.", nameof(name));
        }

        if (!Grammar.IsFieldValue(value))
        {
            throw new ArgumentException($"The value of '{name}' has a character that no field may have.", nameof(value));
        }

        if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
        {
            return this;
        }

        if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
        {
            _traits |= TraitsOf(name, value);
            _lines.Add((name, value));
            return this;
        }

        if (_contentLength is not null || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            throw new ArgumentException("Content-Length is one number (RFC 9110, section 8.6).", nameof(value));
        }

        _contentLength = length;
        return this;
    }

    /// <inheritdoc/>
    public override bool Next(ref FieldCursor cursor)
    {
        if (cursor.Line == _lines.Count)
        {
            return false;
        }

        (cursor.Name, cursor.Value) = _lines[cursor.Line++];
        return true;
    }
}
