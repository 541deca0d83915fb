// Takes responses off what a client received, by the grammar of RFC 9112 and no more kindly than that.

using System.Globalization;
using System.Text.RegularExpressions;

namespace Asgi.Server.Fuzz.Driver;

/// <summary>A final response, or what has arrived of it.</summary>
internal sealed record SeenResponse(int Status, string Content, bool IsComplete, bool IsClose)
{
    public override string ToString() => $"{Status}, {Content.Length} of content{(IsComplete ? "" : ", cut")}{(IsClose ? ", close" : "")}";
}

internal sealed partial class ResponseReader(string received, bool isReset)
{
    public const string WellFormed = "Whatever a client receives is a series of well-formed responses, of which the last may be cut.";

    private const string Token = "[!#$%&'*+.^_`|~0-9A-Za-z-]";

    private int _position;

    /// <param name="received">The bytes, a char each.</param>
    /// <param name="methods">The methods of the requests that were called, in order.</param>
    /// <param name="isReset">Whether the connection ended with RST: then what its end delimits may be cut.</param>
    public static List<SeenResponse> Read(string received, IReadOnlyList<string> methods, bool isReset)
    {
        var reader = new ResponseReader(received, isReset);
        var responses = new List<SeenResponse>();
        while (reader._position < received.Length
            && reader.ReadOne(responses.Count < methods.Count ? methods[responses.Count] : "GET") is { } response)
        {
            responses.Add(response);
            if (!response.IsComplete)
                break;
        }
        return responses;
    }

    private SeenResponse? ReadOne(string method)
    {
        int end = received.IndexOf("\r\n\r\n", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            _position = received.Length;
            return null;
        }
        Match head = Head().Match(received, _position, end + 4 - _position);
        Demand(head.Success && head.Length == end + 4 - _position, "no response head");
        _position = end + 4;
        int status = int.Parse(head.Groups["status"].Value, CultureInfo.InvariantCulture);
        if (status is 100)
            return ReadOne(method);

        string[] Values(string name) =>
            [.. head.Groups["field"].Captures.Select(line => line.Value.Split(':', 2))
                .Where(line => line[0].Equals(name, StringComparison.OrdinalIgnoreCase)).Select(line => line[1].Trim())];
        string[] lengths = Values("Content-Length");
        string[] codings = Values("Transfer-Encoding");
        Demand(lengths.Length + codings.Length <= 1 && Values("Date").Length <= 1, "framing or Date twice");
        bool isClose = Values("Connection").Contains("close");
        if (status is 101)
            return Rest(status, isClose);
        if (status is 204 or 304 || method == "HEAD")
            return new(status, "", IsComplete: true, isClose);
        if (codings.Length == 1)
            return ReadChunks(status, isClose);
        return lengths is [var length]
            ? ReadFixed(status, isClose, int.Parse(length, CultureInfo.InvariantCulture))
            : Rest(status, isClose);
    }

    // Content that the end of the connection delimits; an upgraded connection has nothing else.
    private SeenResponse Rest(int status, bool isClose)
    {
        string content = received[_position..];
        _position = received.Length;
        return new(status, content, IsComplete: !isReset, isClose);
    }

    private SeenResponse ReadFixed(int status, bool isClose, int length)
    {
        string content = received.Substring(_position, Math.Min(length, received.Length - _position));
        _position += content.Length;
        return new(status, content, content.Length == length, isClose);
    }

    private SeenResponse ReadChunks(int status, bool isClose)
    {
        var content = new System.Text.StringBuilder();
        while (ChunkLine().Match(received, _position) is { Success: true } line)
        {
            int size = int.Parse(line.Groups["size"].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            int start = _position + line.Length;
            int present = Math.Min(size, received.Length - start);
            content.Append(received, start, present);
            string end = received.Substring(start + present, Math.Min(2, received.Length - start - present));
            Demand("\r\n".StartsWith(end, StringComparison.Ordinal), "a chunk does not end in CRLF");
            _position = start + present + end.Length;
            if (size == 0 && end.Length == 2)
                return new(status, content.ToString(), IsComplete: true, isClose);
        }
        Demand(ChunkLineBegun().IsMatch(received, _position), "no chunk size");
        _position = received.Length;
        return new(status, content.ToString(), IsComplete: false, isClose);
    }

    private void Demand(bool holds, string seen) =>
        InvariantException.Demand(holds, WellFormed, () => $"{seen} at {_position} of\n{received}");

    [GeneratedRegex(@$"\GHTTP/1\.1 (?<status>[1-5][0-9][0-9]) [\t -~]*\r\n((?<field>{Token}+: ?[\t -~]*)\r\n)*\r\n")]
    private static partial Regex Head();

    [GeneratedRegex(@"\G(?<size>0|[1-9a-f][0-9a-f]{0,7})\r\n")]
    private static partial Regex ChunkLine();

    [GeneratedRegex(@"\G[0-9a-f]{0,8}\r?\z")]
    private static partial Regex ChunkLineBegun();
}
