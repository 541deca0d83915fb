// A request written as HTTP/1.1, said in HTTP/2: the same method, target, fields and content on a stream of HttpClient's, and what came of
// it in the words that tests of HTTP/1.1 read. Called by ParityHost.

using System.Net;
using System.Text;
using Asgi.Server.Testing;

namespace Asgi.Server.Parity.Tests;

internal static class Http2Exchange
{
    // Of the connection and not of the message (RFC 9113, section 8.2.2).
    private static readonly string[] OfConnections = ["Connection", "Upgrade", "Keep-Alive", "Proxy-Connection"];

    /// <summary>Whether there is such a request in HTTP/2.</summary>
    public static bool CanSay(string request) =>
        HeadOf(request) is [var line, .. var fields]
        && line.EndsWith(" HTTP/1.1", StringComparison.Ordinal)
        && !Array.Exists(fields, field => OfConnections.Contains(field.Split(':')[0], StringComparer.OrdinalIgnoreCase));

    /// <summary>"open" in the outcome: another request on the connection was answered. A response that was reset is "cut".</summary>
    public static async Task<RawExchange> RunAsync(ParityHost host, string request)
    {
        using var message = Translate(request);
        try
        {
            using var response = await host.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            var (answer, code) = await ReadAsync(response);
            return new RawExchange(answer, answer.IsComplete && await ProbeAsync(host)) { ErrorCode = code };
        }
        catch (HttpRequestException exception)
        {
            return new RawExchange(null, false) { ErrorCode = CodeOf(exception) };
        }
    }

    private static HttpRequestMessage Translate(string request)
    {
        if (!CanSay(request))
            throw new ArgumentException($"HTTP/2 has no such request: {request}", nameof(request));
        var head = HeadOf(request);
        var line = head[0].Split(' ');
        var message = new HttpRequestMessage(new HttpMethod(line[0]), new Uri(line[1], UriKind.Relative));
        var coded = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        string? content = null;
        foreach (var field in head[1..])
        {
            var (name, value) = (field[..field.IndexOf(':')], field[(field.IndexOf(':') + 1)..].Trim());
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                content = coded;
                message.Content = new DuplexContent(Encoding.Latin1.GetBytes(content), hasLength: true);
            }
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                content = Join(coded);
                message.Content = new DuplexContent(Encoding.Latin1.GetBytes(content), hasLength: false);
            }
        }
        foreach (var field in head[1..])
        {
            var (name, value) = (field[..field.IndexOf(':')], field[(field.IndexOf(':') + 1)..].Trim());
            if (name is not ("Content-Length" or "Transfer-Encoding") && !message.Headers.TryAddWithoutValidation(name, value))
                message.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        return message;
    }

    private static string[] HeadOf(string request) => request.Split("\r\n\r\n", 2)[0].Split("\r\n");

    // Chunks without trailers, which HttpClient cannot send.
    private static string Join(string coded)
    {
        var content = new StringBuilder();
        while (true)
        {
            var line = coded.Split("\r\n", 2);
            var length = Convert.ToInt32(line[0].Split(';')[0], 16);
            if (length == 0)
                return line[1] == "\r\n" ? content.ToString() : throw new ArgumentException("trailers", nameof(coded));
            content.Append(line[1].AsSpan(0, length));
            coded = line[1][(length + 2)..];
        }
    }

    private static async Task<(RawResponse Answer, long? Code)> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpVersion.Version20, response.Version);
        var answer = new RawResponse($"HTTP/2 {(int)response.StatusCode}");
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
            answer.Fields.AddRange(values.Select(value => KeyValuePair.Create(name, value)));

        using var content = new MemoryStream();
        long? code = null;
        try
        {
            await response.Content.CopyToAsync(content);
            answer.IsComplete = true;
            foreach (var (name, values) in response.TrailingHeaders.NonValidated)
                answer.Trailers.AddRange(values.Select(value => KeyValuePair.Create(name, value)));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            code = CodeOf(exception);
        }
        answer.Content = Encoding.Latin1.GetString(content.ToArray());
        return (answer, code);
    }

    private static long? CodeOf(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is HttpProtocolException protocol)
                return protocol.ErrorCode;
        }
        return null;
    }

    private static async Task<bool> ProbeAsync(ParityHost host)
    {
        var connections = host.Connections;
        using var response = await host.Client.GetAsync(new Uri(RawClient.ProbePath, UriKind.Relative));
        return response.IsSuccessStatusCode && host.Connections == connections;
    }
}
