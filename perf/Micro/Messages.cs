// The requests that benchmarks parse and serve: those of a load generator, of curl and of a browser.

using System.Text;

namespace Asgi.Server.Micro;

internal static class Messages
{
    public const string Wrk = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n";

    public const string Curl = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n";

    public const string Browser =
        "GET /articles/2026/11?sort=newest&page=2 HTTP/1.1\r\n"
        + "Host: www.example.org\r\n"
        + "Connection: keep-alive\r\n"
        + "Cache-Control: max-age=0\r\n"
        + "sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n"
        + "sec-ch-ua-mobile: ?0\r\n"
        + "sec-ch-ua-platform: \"Linux\"\r\n"
        + "Upgrade-Insecure-Requests: 1\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n"
        + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
        + "Sec-Fetch-Site: same-origin\r\n"
        + "Sec-Fetch-Mode: navigate\r\n"
        + "Sec-Fetch-Dest: document\r\n"
        + "Referer: https://www.example.org/articles\r\n"
        + "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        + "Cookie: session=0f2c1b7a9d8e4c55; theme=dark\r\n\r\n";

    /// <summary>Characters of the value of User-Agent in <see cref="Browser"/>.</summary>
    public const int BrowserUserAgentLength = 101;

    /// <summary>Field lines in <see cref="Browser"/>.</summary>
    public const int BrowserFieldCount = 15;

    public static byte[] Bytes(string message) => Encoding.ASCII.GetBytes(message);
}
