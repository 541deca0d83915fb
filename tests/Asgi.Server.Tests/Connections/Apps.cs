// Native applications that several tests serve.

using System.Buffers;
using System.Text;

namespace Asgi.Server.Tests.Connections;

internal static class Apps
{
    public const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// <summary>Answers with the path, all at once, and never waits.</summary>
    public static ValueTask Path(HttpExchange exchange) => Answer(exchange, exchange.Scope.Path);

    /// <summary>The same, once <paramref name="gate"/> is done.</summary>
    public static Func<HttpExchange, ValueTask> PathAfter(Task gate) => async exchange =>
    {
        await gate;
        await Path(exchange);
    };

    public static ValueTask Answer(HttpExchange exchange, string content, FieldList? fields = null)
    {
        exchange.Send(new ResponseStart(200, fields));
        return exchange.SendAsync(new ResponseBody(Encoding.Latin1.GetBytes(content)));
    }

    public static ValueTask AnswerStatus(HttpExchange exchange, int status)
    {
        exchange.Send(new ResponseStart(status));
        return exchange.SendAsync(default);
    }

    /// <summary>Sends back all content, piece by piece as it comes: chunked to HTTP/1.1.</summary>
    public static async ValueTask Echo(HttpExchange exchange)
    {
        exchange.Send(new ResponseStart(200));
        await foreach (var piece in Content(exchange))
        {
            await exchange.SendAsync(new ResponseBody(piece, MoreBody: true));
        }

        await exchange.SendAsync(default);
    }

    /// <summary>Reads all content, then sends it back at once.</summary>
    public static async ValueTask EchoWhole(HttpExchange exchange) => await Answer(exchange, await ReadAll(exchange));

    public static async Task<string> ReadAll(HttpExchange exchange)
    {
        var content = new StringBuilder();
        await foreach (var piece in Content(exchange))
        {
            content.Append(Encoding.Latin1.GetString(piece));
        }

        return content.ToString();
    }

    /// <summary>The content, a piece per receive; fails when the client disconnects.</summary>
    public static async IAsyncEnumerable<byte[]> Content(HttpExchange exchange)
    {
        while (true)
        {
            var body = await exchange.ReceiveAsync();
            if (body.IsDisconnect)
            {
                throw new IOException("The client has disconnected.");
            }

            var (piece, more) = (body.Body.ToArray(), body.MoreBody);
            exchange.AdvanceTo(body.Body.End, body.Body.End);
            yield return piece;
            if (!more)
            {
                yield break;
            }
        }
    }

    public static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    public static string Chunked(params string[] chunks) =>
        string.Concat(chunks.Select(chunk => $"{chunk.Length:x}\r\n{chunk}\r\n")) + "0\r\n\r\n";
}
