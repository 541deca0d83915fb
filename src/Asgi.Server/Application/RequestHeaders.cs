// The request's fields as ASP.NET's header dictionary, lazily: a look-up searches the bytes of the head and makes one string, which the
// next request of the connection uses again when its bytes are the same. Whoever changes or enumerates the headers gets a dictionary
// of all.
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Application;

internal sealed class RequestHeaders(FieldSection fields, Func<string, Encoding?>? encodings = null) : IHeaderDictionary
{
    private const int ReusedValueCountMax = 64;

    private string?[] _values = [];
    private HeaderDictionary? _all;

    public long? ContentLength
    {
        get => long.TryParse(this["Content-Length"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : null;
        set => All.ContentLength = value;
    }

    public StringValues this[string key]
    {
        get => TryGetValue(key, out var value) ? value : StringValues.Empty;
        set => All[key] = value;
    }

    public ICollection<string> Keys => All.Keys;

    public ICollection<StringValues> Values => All.Values;

    public int Count => All.Count;

    public bool IsReadOnly => false;

    private HeaderDictionary All => _all ??= ReadAll();

    public void Reset() => _all = null;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value)
    {
        if (_all is not null)
        {
            return _all.TryGetValue(key, out value);
        }

        var first = fields.Find(key);
        if (first < 0)
        {
            value = StringValues.Empty;
            return false;
        }

        var next = fields.Find(key, first + 1);
        value = next < 0 ? GetString(first) : GetStrings(key, first, next);
        return true;
    }

    public bool ContainsKey(string key) => _all?.ContainsKey(key) ?? fields.Find(key) >= 0;

    public void Add(string key, StringValues value) => All.Add(key, value);

    public void Add(KeyValuePair<string, StringValues> item) => All.Add(item);

    public bool Remove(string key) => All.Remove(key);

    public bool Remove(KeyValuePair<string, StringValues> item) => All.Remove(item);

    public void Clear() => All.Clear();

    public bool Contains(KeyValuePair<string, StringValues> item) => All.Contains(item);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => All.CopyTo(array, arrayIndex);

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, StringValues>>)All).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private HeaderDictionary ReadAll()
    {
        var all = new HeaderDictionary(fields.Count);
        for (var i = 0; i < fields.Count; i++)
        {
            var name = FieldNames.GetString(fields.GetName(i));
            all[name] = all.TryGetValue(name, out var before) ? StringValues.Concat(before, GetString(i)) : GetString(i);
        }

        return all;
    }

    private StringValues GetStrings(string key, int first, int next)
    {
        var values = new StringValues(GetString(first));
        for (; next >= 0; next = fields.Find(key, next + 1))
        {
            values = StringValues.Concat(values, GetString(next));
        }

        return values;
    }

    private string GetString(int index)
    {
        var bytes = fields.GetValue(index);
        if (encodings is not null)
        {
            return (encodings(FieldNames.GetString(fields.GetName(index))) ?? Encoding.UTF8).GetString(bytes);
        }

        if (index >= ReusedValueCountMax)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        if (index >= _values.Length)
        {
            Array.Resize(ref _values, Math.Min(fields.Count, ReusedValueCountMax));
        }

        ref var value = ref _values[index];
        if (value is null || !Ascii.Equals(bytes, value))
        {
            value = Encoding.UTF8.GetString(bytes);
        }

        return value;
    }
}
