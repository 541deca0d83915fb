// Chromium loads a page with a hundred parts over HTTP/2 and TLS, uploads, listens to events, and opens a web socket.

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Apps.Tests.Http2;

public sealed class BrowserTests(Chromium browser) : IClassFixture<Chromium>
{
    private const int Parts = 100;
    private const int UploadLength = 3_000_000;

    [BrowserTheory]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.Asgi)]
    public async Task A_page_of_many_parts_loads_and_works(ServerKind kind)
    {
        await using var server = await AppServer.StartAsync(kind, Map, offer: Offer.Http2Tls);

        var page = await browser.OpenAsync(new Uri(server.Address, "/page"));

        Assert.Equal(Parts * (Parts - 1) / 2, (int?)await page.EvaluateAsync("window.sum"));
        var protocols = (JsonArray)(await page.EvaluateAsync(
            "performance.getEntries().filter(entry => entry.nextHopProtocol !== undefined).map(entry => entry.nextHopProtocol)"))!;
        Assert.Equal(Parts + 1, protocols.Count); // with the page itself
        Assert.All(protocols, protocol => Assert.Equal("h2", (string?)protocol));

        var uploaded = await page.EvaluateAsync(
            $"fetch('/upload', {{ method: 'POST', body: new Uint8Array({UploadLength}) }}).then(response => response.text())");
        Assert.Equal($"{UploadLength}", (string?)uploaded);
        var heard = await page.EvaluateAsync("""
            new Promise(resolve => {
                const heard = [], source = new EventSource('/events');
                source.onmessage = message => {
                    heard.push(message.data);
                    if (heard.length === 5) { source.close(); resolve(heard.join()); }
                };
            })
            """);
        Assert.Equal("0,1,2,3,4", (string?)heard);
        page.AssertNothingWentWrong();
    }

    // RFC 8441: the page's connection allows it, so the browser opens no other.
    [BrowserTheory]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.Asgi)]
    public async Task A_web_socket_shares_the_pages_connection(ServerKind kind)
    {
        await using var server = await AppServer.StartAsync(kind, Map, offer: Offer.Http2Tls);
        var page = await browser.OpenAsync(new Uri(server.Address, "/page"));

        var said = await page.EvaluateAsync("""
            new Promise((resolve, reject) => {
                const said = [], socket = new WebSocket(`wss://${location.host}/ws`);
                socket.onerror = () => reject(new Error('the socket failed'));
                socket.onopen = () => socket.send('hello');
                socket.onmessage = message => {
                    said.push(message.data);
                    if (said.length === 2) socket.close(1000, 'done');
                };
                socket.onclose = event => resolve(`${said.join()},${event.code},${event.wasClean}`);
            })
            """);

        Assert.Equal("HTTP/2,hello,1000,true", (string?)said);
        page.AssertNothingWentWrong();
    }

    private static void Map(WebApplication application)
    {
        application.UseWebSockets();
        application.MapGet("/favicon.ico", () => Results.Empty);
        application.MapGet("/page", () => Results.Content(
            "<!doctype html><link rel=icon href=data:,><script>var sum = 0</script>"
            + string.Concat(Enumerable.Range(0, Parts).Select(part => $"<script src=/parts/{part}.js></script>")),
            "text/html"));
        // Of many sizes, the larger ones beyond a frame.
        application.MapGet("/parts/{part}.js", (int part) =>
            Results.Content($"sum += {part} //{new string('x', part * 1000)}", "text/javascript"));
        application.MapPost("/upload", async (HttpContext context) =>
        {
            using var content = new MemoryStream();
            await context.Request.Body.CopyToAsync(content, context.RequestAborted);
            await context.Response.WriteAsync($"{content.Length}");
        });
        application.MapGet("/events", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var number = 0; number < 5; number++)
                await context.Response.WriteAsync($"data: {number}\n\n", context.RequestAborted);
        });
        application.Map("/ws", async (HttpContext context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendTextAsync(context.Request.Protocol);
            await WebSockets.EchoAsync(socket);
        });
    }
}
