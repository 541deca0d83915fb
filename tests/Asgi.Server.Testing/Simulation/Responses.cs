// Takes responses off received bytes by the framing of RFC 9112, section 6.3. Used by tests on the simulated loop.

using System.Globalization;

namespace Asgi.Server.Testing.Simulation;

internal static class Responses
{
    /// <summary>All responses that are in <paramref name="received"/>, interim ones too; the last may be incomplete.</summary>
    /// <param name="received">The bytes, from the start of a response on.</param>
    /// <param name="isEnded">Whether no more will come.</param>
    /// <param name="methods">The methods of the requests, where one is not GET.</param>
    public static List<RawResponse> Parse(string received, bool isEnded, params string[] methods)
    {
        var responses = new List<RawResponse>();
        var position = 0;
        var final = 0;
        while (TakeHead(received, ref position) is { } response)
        {
            responses.Add(response);
            if (response.Status < 200 && response.Status != 101)
            {
                response.IsComplete = true;
                continue;
            }

            TakeContent(received, ref position, response, isEnded, final < methods.Length ? methods[final] : "GET");
            final++;
        }

        return responses;
    }

    /// <summary>The responses a client has received so far.</summary>
    public static List<RawResponse> Of(SimulatedClient client, params string[] methods) =>
        Parse(client.Received, client.End != ConnectionEnd.None, methods);

    private static RawResponse? TakeHead(string received, ref int position)
    {
        var end = received.IndexOf("\r\n\r\n", position, StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var lines = received[position..end].Split("\r\n");
        var response = new RawResponse(lines[0]);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            response.Fields.Add(new(line[..colon], line[(colon + 1)..].Trim(' ')));
        }

        position = end + 4;
        return response;
    }

    private static void TakeContent(string received, ref int position, RawResponse response, bool isEnded, string method)
    {
        if (response.Status is 101 or 204 or 304 || method == "HEAD")
        {
            response.IsComplete = true;
        }
        else if (response.Field("Transfer-Encoding") is not null)
        {
            TakeChunks(received, ref position, response);
        }
        else if (response.Field("Content-Length") is { } length)
        {
            var count = int.Parse(length, CultureInfo.InvariantCulture);
            response.Content = received.Substring(position, Math.Min(count, received.Length - position));
            response.IsComplete = response.Content.Length == count;
            position += response.Content.Length;
        }
        else
        {
            response.Content = received[position..];
            response.IsComplete = response.EndsWithClose = isEnded;
            position = received.Length;
        }
    }

    private static void TakeChunks(string received, ref int position, RawResponse response)
    {
        while (true)
        {
            var end = received.IndexOf("\r\n", position, StringComparison.Ordinal);
            if (end < 0)
            {
                break;
            }

            var size = int.Parse(received[position..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                position = end + 2;
                response.IsComplete = TakeTrailers(received, ref position, response);
                return;
            }

            if (received.Length < end + 2 + size + 2)
            {
                break;
            }

            position = end + 2 + size + 2;
            response.Chunks.Add(received.Substring(end + 2, size));
            response.Content += response.Chunks[^1];
        }

        position = received.Length;
    }

    private static bool TakeTrailers(string received, ref int position, RawResponse response)
    {
        while (received.IndexOf("\r\n", position, StringComparison.Ordinal) is var end and >= 0)
        {
            var line = received[position..end];
            position = end + 2;
            if (line.Length == 0)
            {
                return true;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            response.Trailers.Add(new(line[..colon], line[(colon + 1)..].Trim(' ')));
        }

        position = received.Length;
        return false;
    }
}
