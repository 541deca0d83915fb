// The response's fields as ASP.NET's header dictionary, and as the source the head writer pulls from. A short list in the order set:
// responses have a handful of fields. Used by the application until the head is written, then read-only. Trailers are kept in one too.
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Application;

/// <param name="exchange">Tells whether it is too late to change them; null: it never is.</param>
/// <param name="areTrailers">Whether they stand behind the content.</param>
/// <param name="encodings">How values are encoded, by name; null: all in ASCII.</param>
internal sealed class ResponseHeaders(
    HttpExchange? exchange, bool areTrailers = false, Func<string, Encoding?>? encodings = null) : ResponseFields, IHeaderDictionary
{
    private const string ContentLengthName = "Content-Length";

    private const int InitialCapacity = 4;

    private KeyValuePair<string, StringValues>[] _fields = [];
    private int _count;
    private long? _contentLength;

    public override long? ContentLength => _contentLength;

    long? IHeaderDictionary.ContentLength
    {
        get => _contentLength;
        set
        {
            DemandWritable();
            DemandAllowed(ContentLengthName);
            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Content-Length is null or not negative.");
            }

            _contentLength = value;
        }
    }

    public override ResponseFieldTraits Traits
    {
        get
        {
            var traits = ResponseFieldTraits.None;
            for (var i = 0; i < _count; i++)
            {
                foreach (var value in _fields[i].Value)
                {
                    traits |= TraitsOf(_fields[i].Key, value ?? "");
                }
            }

            return traits;
        }
    }

    public int Count => _count + (_contentLength is null ? 0 : 1);

    public bool IsReadOnly => exchange is not null && (areTrailers ? !exchange.TakesTrailers : exchange.HasStarted);

    public ICollection<string> Keys => [.. this.Select(line => line.Key)];

    public ICollection<StringValues> Values => [.. this.Select(line => line.Value)];

    public StringValues this[string key]
    {
        get => TryGetValue(key, out var value) ? value : StringValues.Empty;
        set
        {
            DemandWritable();
            Set(key, value, mayReplace: true);
        }
    }

    /// <summary>A copy, checked, of headers that the application has put in the place of the server's.</summary>
    public static ResponseHeaders CopyOf(
        IHeaderDictionary headers, bool areTrailers = false, Func<string, Encoding?>? encodings = null)
    {
        var copy = new ResponseHeaders(exchange: null, areTrailers, encodings);
        foreach (var (name, value) in headers)
        {
            copy.Set(name, value, mayReplace: true);
        }

        return copy;
    }

    public void Reset()
    {
        Array.Clear(_fields, 0, _count);
        _count = 0;
        _contentLength = null;
    }

    public override bool Next(ref FieldCursor cursor)
    {
        while (cursor.Line < _count)
        {
            ref readonly var field = ref _fields[cursor.Line];
            if (cursor.Item < field.Value.Count)
            {
                var value = field.Value[cursor.Item++];
                if (value is null)
                {
                    continue;
                }

                cursor.Name = field.Key;
                cursor.Value = value;
                cursor.Encoding = encodings?.Invoke(field.Key);
                return true;
            }

            cursor.Line++;
            cursor.Item = 0;
        }

        return false;
    }

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value)
    {
        if (IsContentLength(key))
        {
            value = _contentLength is { } length ? length.ToString(CultureInfo.InvariantCulture) : StringValues.Empty;
            return _contentLength is not null;
        }

        var index = IndexOf(key);
        value = index < 0 ? StringValues.Empty : _fields[index].Value;
        return index >= 0;
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public void Add(string key, StringValues value)
    {
        DemandWritable();
        Set(key, value, mayReplace: false);
    }

    public bool Remove(string key)
    {
        DemandWritable();
        if (IsContentLength(key))
        {
            var had = _contentLength is not null;
            _contentLength = null;
            return had;
        }

        var index = IndexOf(key);
        if (index < 0)
        {
            return false;
        }

        _count--;
        Array.Copy(_fields, index + 1, _fields, index, _count - index);
        _fields[_count] = default;
        return true;
    }

    public void Clear()
    {
        DemandWritable();
        Reset();
    }

    void ICollection<KeyValuePair<string, StringValues>>.Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    bool ICollection<KeyValuePair<string, StringValues>>.Contains(KeyValuePair<string, StringValues> item) =>
        TryGetValue(item.Key, out var value) && value.Equals(item.Value);

    bool ICollection<KeyValuePair<string, StringValues>>.Remove(KeyValuePair<string, StringValues> item) =>
        TryGetValue(item.Key, out var value) && value.Equals(item.Value) && Remove(item.Key);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex)
    {
        ArgumentNullException.ThrowIfNull(array);
        foreach (var field in this)
        {
            array[arrayIndex++] = field;
        }
    }

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator()
    {
        if (_contentLength is { } length)
        {
            yield return new(ContentLengthName, length.ToString(CultureInfo.InvariantCulture));
        }

        for (var i = 0; i < _count; i++)
        {
            yield return _fields[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsContentLength(string key) =>
        key.Length == ContentLengthName.Length && key.Equals(ContentLengthName, StringComparison.OrdinalIgnoreCase);

    private void Set(string key, StringValues value, bool mayReplace)
    {
        ArgumentNullException.ThrowIfNull(key);
        DemandAllowed(key);
        if (IsContentLength(key))
        {
            DemandNew(mayReplace, _contentLength is not null, key);
            _contentLength = StringValues.IsNullOrEmpty(value) ? null : ParseLength(value);
            return;
        }

        var index = IndexOf(key);
        DemandNew(mayReplace, index >= 0, key);
        if (value.Count == 0)
        {
            if (index >= 0)
            {
                Remove(key);
            }

            return;
        }

        Validate(key, value);
        if (index < 0)
        {
            if (_count == _fields.Length)
            {
                Array.Resize(ref _fields, Math.Max(InitialCapacity, _count * 2));
            }

            index = _count++;
        }

        // The first spelling stays.
        _fields[index] = new(_fields[index].Key ?? key, value);
    }

    private int IndexOf(string key)
    {
        for (var i = 0; i < _count; i++)
        {
            // The names of HeaderNames are the same objects everywhere.
            var name = _fields[i].Key;
            if (ReferenceEquals(name, key) || (name.Length == key.Length && name.Equals(key, StringComparison.OrdinalIgnoreCase)))
            {
                return i;
            }
        }

        return -1;
    }

    private void DemandWritable()
    {
        if (IsReadOnly)
        {
            throw new InvalidOperationException(areTrailers
                ? "Trailers are read-only: the response is complete, or its head left no place for them."
                : "Headers are read-only, response has already started.");
        }
    }

    private void DemandAllowed(string key)
    {
        if (areTrailers)
        {
            HttpExchange.DemandTrailer(key);
        }
    }

    private static void DemandNew(bool mayReplace, bool exists, string key)
    {
        if (!mayReplace && exists)
        {
            throw new ArgumentException($"The header '{key}' has been added already.", nameof(key));
        }
    }

    private void Validate(string key, StringValues values)
    {
        if (!Grammar.IsToken(key))
        {
            throw new InvalidOperationException($"'{key}' is not a field name: it must be a token (RFC 9110, section 5.1).");
        }

        var isEncoded = encodings?.Invoke(key) is not null;
        foreach (var value in values)
        {
            if (value is not null && !(isEncoded ? Grammar.IsText(value) : Grammar.IsFieldValue(value)))
            {
                throw new InvalidOperationException(
                    $"The value of '{key}' has a character that no field may have (RFC 9110, section 5.5).");
            }
        }
    }

    private static long ParseLength(StringValues value) =>
        value.Count == 1 && long.TryParse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw new InvalidOperationException(
                $"Invalid Content-Length: \"{value}\". The value must be one number (RFC 9110, section 8.6).");
}
