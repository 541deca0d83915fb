// The head of a request, field by field (RFC 9113, sections 8.1.1 to 8.3). Called by FieldSectionReader, which counts; one per connection,
// its state is that of the section under way.

using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

internal sealed class HeadReader(Http2Limits limits)
{
    private const int None = -1;
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    private Http2RequestHead _head = null!;
    private PseudoField _pseudoFields;
    private bool _isBehindPseudoFields;
    private int _hostLine;
    private int _cookieLines;

    /// <summary>Bytes that stand before those of the peer: the name of the line that :authority becomes.</summary>
    public static int PrefixSize => HostName.Length;

    private static ReadOnlySpan<byte> HostName => "host"u8;

    public static bool IsPseudo(Http2RequestHead head, in HpackField field) =>
        field.NameLength > 0 && head.Bytes[field.NameStart] == ':';

    public void Begin(Http2RequestHead head)
    {
        _head = head;
        _pseudoFields = PseudoField.None;
        _isBehindPseudoFields = false;
        _hostLine = None;
        _cookieLines = 0;
        head.Storage.Clear();
        head.Storage.TryAppend(HostName);
    }

    /// <summary>Takes in the field that was appended to the storage last; null when it may stand where it does.</summary>
    public Http2Fault? Add(in HpackField field, bool isPseudo)
    {
        ReadOnlySpan<byte> name = _head[new(field.NameStart, field.NameLength)];
        var value = new ByteRange(field.ValueStart, field.ValueLength);
        if (isPseudo)
            return _isBehindPseudoFields ? Http2Faults.MisplacedPseudoField : AddPseudoField(name, value);

        _isBehindPseudoFields = true;
        if (FieldRules.Judge(name, _head[value], limits.AllowsAnyEncoding) is { } fault)
            return fault;
        _head.Fields.Add(field.NameStart, field.NameLength, value.Start, value.Length);
        return Note(name, value);
    }

    /// <summary>Decides what depends on several fields. Null for a request that is well formed.</summary>
    public Http2Fault? End()
    {
        Http2Fault? fault = PseudoFields.Decide(_head, _pseudoFields, limits) ?? DecideHost();
        if (fault is not null)
            return fault;
        if (!_head.HasContent && _head.ContentLength > 0)
            return Http2Faults.ContentLengthMismatch;
        if (_cookieLines > 1)
            JoinCookies();
        _head.Fields.Bind(_head.Bytes, 0);
        return null;
    }

    private Http2Fault? AddPseudoField(ReadOnlySpan<byte> name, ByteRange value)
    {
        PseudoField field = PseudoFields.Of(name);
        if (field == PseudoField.None)
            return Http2Faults.UnknownPseudoField;
        if ((_pseudoFields & field) != 0)
            return Http2Faults.RepeatedPseudoField;
        _pseudoFields |= field;
        switch (field)
        {
            case PseudoField.Method:
                _head.Method = value;
                break;
            case PseudoField.Scheme:
                _head.Scheme = value;
                break;
            case PseudoField.Authority:
                _head.Authority = value;
                _head.Fields.Add(0, PrefixSize, value.Start, value.Length);
                break;
            case PseudoField.Path:
                _head.Target = value;
                break;
            case PseudoField.Protocol:
                _head.Protocol = value;
                break;
        }
        return null;
    }

    /// <summary>Notes the few fields that something depends on; the length alone rules out most others.</summary>
    private Http2Fault? Note(ReadOnlySpan<byte> name, ByteRange value)
    {
        switch (name.Length)
        {
            case 4 when name.SequenceEqual(HostName):
                if (_hostLine != None)
                    return Http2Faults.HostMismatch;
                _hostLine = _head.Fields.Count - 1;
                break;
            case 6 when name.SequenceEqual("cookie"u8):
                _cookieLines++;
                break;
            case 6 when name.SequenceEqual("expect"u8):
                _head.ExpectContinue |= Lists(_head[value], "100-continue"u8);
                break;
            case 14 when name.SequenceEqual("content-length"u8):
                // One line of 1*DIGIT, as in HTTP/1: a list of equal numbers could be told from a forged one by nobody.
                if (_head.ContentLength is not null
                    || !long.TryParse(_head[value], NumberStyles.None, CultureInfo.InvariantCulture, out long length))
                {
                    return Http2Faults.InvalidContentLength;
                }
                _head.ContentLength = length;
                break;
        }
        return null;
    }

    private Http2Fault? DecideHost()
    {
        bool hasAuthority = (_pseudoFields & PseudoField.Authority) != 0;
        if (_hostLine == None)
            return null;
        ReadOnlySpan<byte> host = _head.Fields[_hostLine].Value(_head.Bytes);
        if (!HostHeader.IsValid(host))
            return Http2Faults.InvalidAuthority;
        if (!hasAuthority)
            return null;
        if (!limits.AllowsHostOverride && !HostHeader.Matches(host, _head[_head.Authority], DefaultPort))
            return Http2Faults.HostMismatch;
        // One line is left, that of :authority (8.3.1).
        _head.Fields.RemoveAt(_hostLine);
        return null;
    }

    private int DefaultPort =>
        Ascii.EqualsIgnoreCase(_head[_head.Scheme], "https"u8) ? HttpsPort
            : Ascii.EqualsIgnoreCase(_head[_head.Scheme], "http"u8) ? HttpPort
            : None;

    /// <summary>
    /// The lines of Cookie as one in the place of the first, for those behind know no other form (8.2.3). It is a little longer than the
    /// lines were, which have been counted.
    /// </summary>
    private void JoinCookies()
    {
        FieldBytes storage = _head.Storage;
        FieldSection fields = _head.Fields;
        int first = None;
        int start = storage.Length;
        for (int i = 0; i < fields.Count; i++)
        {
            FieldSection.FieldLine line = fields[i];
            if (!line.Name(storage.Array).SequenceEqual("cookie"u8))
                continue;
            if (first == None)
                first = i;
            else
                Append(storage, "; "u8);
            // Room first: the value is in the array that may be replaced.
            storage.GetSpan(line.ValueLength);
            Append(storage, line.Value(storage.Array));
            if (i != first)
                fields.RemoveAt(i--);
        }
        fields.MoveValue(first, start, storage.Length - start);
    }

    private static void Append(FieldBytes storage, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(storage.GetSpan(bytes.Length));
        storage.Advance(bytes.Length);
    }

    private static bool Lists(ReadOnlySpan<byte> value, ReadOnlySpan<byte> member)
    {
        foreach (Range range in value.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(Grammar.TrimWhitespace(value[range]), member))
                return true;
        }
        return false;
    }
}
