// A second opinion on what bytes mean as requests: RFC 9112 by regular expressions over the whole input, slow and without state, with the
// limits and the strictness that src/Asgi.Server.Protocols/Http1/README.md documents. It shares no code with the machine.

using System.Globalization;
using System.Text.RegularExpressions;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Fuzz.Messages;

internal enum OracleEnd
{
    /// <summary>More bytes could make a request of what is left.</summary>
    Incomplete,

    /// <summary>More bytes cannot help, but a parser may wait for a few of them before it says so.</summary>
    Doomed,

    Refused,
}

/// <summary>Reads all requests of <paramref name="wire"/>, a char for each byte.</summary>
internal sealed partial class RequestOracle(string wire, Http1Limits limits)
{
    private const string Token = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
    private const string Target = "[!-\"$-~]";
    private const string Text = @"[\t -~\u0080-\u00FF]";
    private const string Hex = "[0-9A-Fa-f]";

    private int _position;

    /// <summary>Each request as a <see cref="Testing.WireMessage"/> would show it.</summary>
    public List<string> Messages { get; } = [];

    public OracleEnd End { get; private set; }

    public static RequestOracle Read(string wire, Http1Limits limits)
    {
        var oracle = new RequestOracle(wire, limits);
        while (oracle.ReadMessage() is not { } end || !oracle.Stop(end))
        {
        }
        return oracle;
    }

    private bool Stop(OracleEnd end)
    {
        End = end;
        return true;
    }

    /// <summary>Null when a message is complete, otherwise why no further one is read.</summary>
    private OracleEnd? ReadMessage()
    {
        Match line = RequestLine().Match(wire, _position);
        if (!line.Success)
        {
            bool isBegun = RequestLineBegun().IsMatch(wire, _position) && wire.Length - _position < limits.MaxRequestLineSize;
            return isBegun ? OracleEnd.Incomplete : OracleEnd.Refused;
        }
        string method = line.Groups["method"].Value;
        OracleTarget? target = OracleTarget.Read(method, line.Groups["target"].Value);
        if (line.Length > limits.MaxRequestLineSize || target is null)
            return OracleEnd.Refused;

        _position += line.Length;
        var fields = new List<(string Name, string Value)>();
        if (ReadSection(fields) is { } end)
            return end;
        OracleFraming? framing = OracleFraming.Read(method, target, line.Groups["version"].Value == "HTTP/1.1", fields);
        if (framing is null)
            return OracleEnd.Refused;

        string head = $"{target.Form} {method} {line.Groups["target"].Value} = {target.Authority}|{target.Path}|{target.Query} "
            + $"{framing} fields=[{Show(fields)}]";
        return framing.IsChunked ? ReadChunked(head) : ReadFixed(head, framing.ContentLength ?? 0);
    }

    private OracleEnd? ReadFixed(string head, long length)
    {
        int present = (int)Math.Min(length, wire.Length - _position);
        Add(head, wire.Substring(_position, present), framing: 0, "", isComplete: present == length);
        _position += present;
        return present == length ? null : OracleEnd.Incomplete;
    }

    /// <summary>chunked-body (RFC 9112, 7.1): 1*HEXDIG [ chunk-ext ] CRLF chunk-data CRLF, a last chunk of size 0, trailers.</summary>
    private OracleEnd? ReadChunked(string head)
    {
        string content = "";
        int framing = 0;
        int extensions = 0;
        OracleEnd? end = null;
        while (end is null)
        {
            Match size = ChunkLine().Match(wire, _position);
            extensions += size.Groups["extension"].Length;
            if (!size.Success)
            {
                Match begun = ChunkLineBegun().Match(wire, _position);
                bool isTooLong = extensions + begun.Groups["extension"].Length > limits.MaxChunkExtensionSize;
                end = !begun.Success ? OracleEnd.Refused : isTooLong ? OracleEnd.Doomed : OracleEnd.Incomplete;
                break;
            }
            if (extensions > limits.MaxChunkExtensionSize)
            {
                end = OracleEnd.Refused;
                break;
            }
            _position += size.Length;
            framing += size.Length;
            long length = long.Parse(size.Groups["size"].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (length == 0)
                return ReadTrailers(head, content, framing);

            int present = (int)Math.Min(length, wire.Length - _position);
            content += wire.Substring(_position, present);
            _position += present;
            end = present < length ? OracleEnd.Incomplete : ReadChunkEnd();
            framing += 2;
        }
        Add(head, content, framing: 0, "", isComplete: false);
        return end;
    }

    private OracleEnd? ReadChunkEnd()
    {
        string next = wire.Substring(_position, Math.Min(2, wire.Length - _position));
        if (next is "" or "\r")
            return OracleEnd.Incomplete;
        _position += 2;
        return next == "\r\n" ? null : OracleEnd.Refused;
    }

    private OracleEnd? ReadTrailers(string head, string content, int framing)
    {
        var trailers = new List<(string Name, string Value)>();
        OracleEnd? end = ReadSection(trailers);
        Add(head, content, end is null ? framing : 0, end is null ? Show(trailers) : "", isComplete: end is null);
        return end;
    }

    /// <summary>*( field-line CRLF ) CRLF (RFC 9112, 5).</summary>
    private OracleEnd? ReadSection(List<(string Name, string Value)> fields)
    {
        int start = _position;
        while (FieldLine().Match(wire, _position) is { Success: true } line)
        {
            _position += line.Length;
            fields.Add((line.Groups["name"].Value, line.Groups["value"].Value.Trim(' ', '\t')));
            bool isWithin = _position - start <= limits.MaxRequestHeadersTotalSize && fields.Count <= limits.MaxRequestHeaderCount;
            if (!isWithin || !Utf8().IsMatch(line.Groups["value"].Value))
                return OracleEnd.Refused;
        }
        if (string.CompareOrdinal(wire, _position, "\r\n", 0, 2) == 0)
        {
            _position += 2;
            return null;
        }
        int size = wire.Length - start;
        if (!FieldLineBegun().IsMatch(wire, _position) || size >= limits.MaxRequestHeadersTotalSize + 2)
            return OracleEnd.Refused;
        return size > limits.MaxRequestHeadersTotalSize ? OracleEnd.Doomed : OracleEnd.Incomplete;
    }

    private void Add(string head, string content, int framing, string trailers, bool isComplete) =>
        Messages.Add($"{head} content='{content}' framing={framing} trailers=[{trailers}] complete={isComplete}");

    private static string Show(List<(string Name, string Value)> fields) =>
        string.Join('|', fields.Select(field => $"{field.Name}: {field.Value}"));

    [GeneratedRegex(@$"\G(\r\n)*(?<method>{Token}+) (?<target>{Target}+) (?<version>HTTP/1\.[01])\r\n")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@$"\G(\r\n)*(\r|{Token}*|{Token}+ {Target}*|{Token}+ {Target}+ [!-~]*\r?)\z")]
    private static partial Regex RequestLineBegun();

    [GeneratedRegex(@$"\G(?<name>{Token}+):(?<value>{Text}*)\r\n")]
    private static partial Regex FieldLine();

    [GeneratedRegex(@$"\G({Token}*|{Token}+:{Text}*\r?|\r)\z")]
    private static partial Regex FieldLineBegun();

    [GeneratedRegex(@$"\G(?<size>{Hex}{{1,8}})(?<extension>;{Text}*)?\r\n")]
    private static partial Regex ChunkLine();

    [GeneratedRegex(@$"\G({Hex}{{0,8}}|{Hex}{{1,8}}(?<extension>;{Text}*)?\r?)\z")]
    private static partial Regex ChunkLineBegun();

    // UTF8-octets (RFC 3629, 4).
    [GeneratedRegex(@"\A([\x00-\x7F]|[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}"
        + @"|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}|\xF4[\x80-\x8F][\x80-\xBF]{2})*\z")]
    private static partial Regex Utf8();
}
