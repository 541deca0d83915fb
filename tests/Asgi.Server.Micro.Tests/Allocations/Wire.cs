// The requests that must cost no allocation, and their responses.

using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Micro.Tests.Allocations;

internal static class Wire
{
    public const string Head =
        $"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nDate: {SimulatedServer.Date}\r\nContent-Type: text/plain\r\n\r\n";

    public const string Plaintext = $"{Head}Hello, World!";

    public const string Post = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

    public const string ChunkedPost =
        "POST /form HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

    public static string HeadOf(string request) => request.Replace("GET ", "HEAD ", StringComparison.Ordinal);

    public static string Sixteen(string message) => string.Concat(Enumerable.Repeat(message, 16));
}
