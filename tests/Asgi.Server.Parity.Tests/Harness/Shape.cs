// A row of a table of response shapes: what is asked, what the app does, what must be on the wire.

using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

/// <param name="App">The app.</param>
/// <param name="Outcome">Status and persistence, as RawExchange.Outcome has them.</param>
/// <param name="Framing">As RawResponse.Framing has it; null where there is no response or it is beside the point.</param>
/// <param name="Content">The content as text.</param>
internal sealed record Shape(RequestDelegate App, string Outcome, string? Framing = null, string Content = "")
{
    public string Request { get; init; } = Wire.Get;

    /// <summary>The outcome over HTTP/2, where it is not that of HTTP/1.1 with an open connection.</summary>
    public Difference<string>? Http2Outcome { get; init; }

    /// <summary>It is about the bytes of HTTP/1.1, though HTTP/2 could be asked for it.</summary>
    public bool IsHttp1Only { get; init; }

    /// <summary>Each shape on each host that can be asked for it.</summary>
    public static TheoryData<HostKind, string> Rows(IReadOnlyDictionary<string, Shape> shapes)
    {
        var data = new TheoryData<HostKind, string>();
        foreach (var (name, shape) in shapes)
        {
            var hasHttp2 = !shape.IsHttp1Only && Http2Exchange.CanSay(shape.Request);
            foreach (var host in Hosts.WithHttp.Where(host => hasHttp2 || !host.IsHttp2()))
                data.Add(host, name);
        }

        return data;
    }

    public async Task AssertAsync(ParityHost host)
    {
        var exchange = await host.With(App).ExchangeAsync(Request);

        var outcome = Http2Outcome is not null && host.Kind.IsHttp2() ? Http2Outcome.On(host.Kind) : host.Kind.Outcome(Outcome);
        Assert.Equal(outcome, exchange.Outcome);
        if (Framing is not null && exchange.Response is not null)
            Assert.Equal(host.Kind.Framing(Framing), exchange.Answer.Framing);
        // Of a stream that was reset HttpClient tells nothing that it had.
        if (!host.Kind.IsHttp2() || exchange.Response?.IsComplete == true)
            Assert.Equal(Content, exchange.Response?.Content ?? "");
    }
}

/// <summary>Requests as literals.</summary>
internal static class Wire
{
    public const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    public const string Head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
    public const string GetAndClose = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    public const string Get10 = "GET / HTTP/1.0\r\n\r\n";
    public const string Get10KeepAlive = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    public const string LastChunk = "0\r\n\r\n";

    public static string Post(string content, params string[] fields) =>
        Head11("POST", [$"Content-Length: {content.Length.ToString(CultureInfo.InvariantCulture)}", .. fields]) + content;

    /// <summary>A chunked POST; the content is on the wire as given, chunk heads included.</summary>
    public static string PostChunked(string coded, params string[] fields) =>
        Head11("POST", ["Transfer-Encoding: chunked", .. fields]) + coded;

    public static string Chunk(string data) => $"{data.Length:x}\r\n{data}\r\n";

    public static byte[] Ascii(this string text) => Encoding.ASCII.GetBytes(text);

    private static string Head11(string method, string[] fields) =>
        $"{method} / HTTP/1.1\r\nHost: h\r\n{string.Concat(fields.Select(field => field + "\r\n"))}\r\n";
}
