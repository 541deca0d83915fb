// How a response is delimited and whether the connection outlives it: RFC 9110, sections 8.6 and 15; RFC 9112, sections 6 and 9.

using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class FramingTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private static readonly Dictionary<string, Shape> Shapes = new()
    {
        ["nothing written"] = new(Nothing, "200 open", "length 0"),
        ["StartAsync alone"] = new(c => c.Response.StartAsync(), "200 open", "chunked"),
        ["a flush alone"] = new(c => c.Response.Body.FlushAsync(), "200 open", "chunked"),
        ["a write to the stream"] = new(Hello, "200 open", "chunked", "hello"),
        ["a write of no bytes"] = new(c => c.Response.Body.WriteAsync(Array.Empty<byte>(), 0, 0), "200 open", "chunked"),
        ["a write of a string"] = new(c => c.Response.WriteAsync("hello"), "200 open", "chunked", "hello"),
        ["a write to the pipe"] = new(async c =>
        {
            await c.Response.BodyWriter.WriteAsync("hello"u8.ToArray());
        }, "200 open", "chunked", "hello"),
        ["CompleteAsync alone"] = new(c => c.Response.CompleteAsync(), "200 open", "length 0"),
        ["a write, then CompleteAsync"] = new(async c =>
        {
            await Hello(c);
            await c.Response.CompleteAsync();
        }, "200 open", "chunked", "hello"),
        ["Content-Length right"] = new(WithLength(5, "hello"), "200 open", "length 5", "hello"),
        ["Content-Length right in two writes"] = new(WithLength(10, "hello", "world"), "200 open", "length 10", "helloworld"),
        ["Content-Length right in the pipe, not flushed"] = new(c =>
        {
            c.Response.ContentLength = 5;
            Put(c.Response.BodyWriter, "hello");
            return Task.CompletedTask;
        }, "200 open", "length 5", "hello"),
        ["Content-Length zero"] = new(WithLength(0), "200 open", "length 0"),
        ["chunks the app framed itself"] = new(async c =>
        {
            c.Response.Headers.TransferEncoding = "chunked";
            await c.Response.WriteAsync(Wire.Chunk("hello") + Wire.LastChunk);
        }, "200 open", "chunked", "hello") { IsHttp1Only = true },

        ["HEAD: nothing written"] = new(Nothing, "200 open", "none") { Request = Wire.Head },
        ["HEAD: a write is dropped"] = new(Hello, "200 open", "none") { Request = Wire.Head },
        ["HEAD: Content-Length kept, nothing written"] = new(WithLength(5), "200 open", "length 5") { Request = Wire.Head },
        ["HEAD: Content-Length kept, content dropped"] = new(WithLength(5, "hello"), "200 open", "length 5") { Request = Wire.Head },
        ["HEAD: not found"] = new(Status(404), "404 open", "none") { Request = Wire.Head },
        ["HEAD: 1.0"] = new(Hello, "200 closed", "none") { Request = "HEAD / HTTP/1.0\r\n\r\n" },

        ["204"] = new(Status(204), "204 open", "none"),
        ["204 with Content-Length 0"] = new(Status(204, length: 0), "204 open", "none"),
        ["204 with Content-Length 1"] = new(Status(204, length: 1), "500 open", "length 0"),
        ["205"] = new(Status(205), "205 open", "length 0"),
        ["205 with Content-Length 1"] = new(Status(205, length: 1), "500 open", "length 0"),
        ["304"] = new(Status(304), "304 open", "none"),
        ["304 with Content-Length 5"] = new(Status(304, length: 5), "304 open", "length 5"),
        ["a status of the app's own"] = new(Status(299), "299 open", "length 0"),
        ["a status beyond the classes"] = new(Status(999), "999 open", "length 0"),

        ["the request says close"] = new(Hello, "200 closed", "chunked", "hello") { Request = Wire.GetAndClose },
        ["the request says close, with a length"] = new(WithLength(5, "hello"), "200 closed", "length 5", "hello")
        { Request = Wire.GetAndClose },
        ["the request says Close among others"] = new(Nothing, "200 closed", "length 0")
        { Request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n" },
        ["the app says close"] = new(WithConnection("close"), "200 closed", "length 0"),
        ["the app says keep-alive"] = new(WithConnection("keep-alive"), "200 open", "length 0"),
        ["1.0: nothing written"] = new(Nothing, "200 closed", "length 0") { Request = Wire.Get10 },
        ["1.0: a write is ended by the close"] = new(Hello, "200 closed", "close", "hello") { Request = Wire.Get10 },
        ["1.0: Content-Length right"] = new(WithLength(5, "hello"), "200 closed", "length 5", "hello") { Request = Wire.Get10 },
        ["1.0 keep-alive: nothing written"] = new(Nothing, "200 open", "length 0") { Request = Wire.Get10KeepAlive },
        ["1.0 keep-alive: a write is ended by the close"] = new(Hello, "200 closed", "close", "hello") { Request = Wire.Get10KeepAlive },
        ["1.0 keep-alive: Content-Length right"] = new(WithLength(5, "hello"), "200 open", "length 5", "hello")
        { Request = Wire.Get10KeepAlive },
        ["1.0 keep-alive: the app says close"] = new(WithConnection("close"), "200 closed", "length 0") { Request = Wire.Get10KeepAlive },
    };

    public static TheoryData<HostKind, string> Rows => Shape.Rows(Shapes);

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_response_is_framed(HostKind host, string shape) => await Shapes[shape].AssertAsync(await hosts.On(host));

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Persistence_is_said_only_where_it_is_not_the_default(HostKind kind)
    {
        var host = await hosts.On(kind, WithLength(5, "hello"));

        var persistent = await host.ExchangeAsync(Wire.Get);
        var closing = await host.ExchangeAsync(Wire.GetAndClose);
        var old = await host.ExchangeAsync(Wire.Get10);
        var oldKeepAlive = await host.ExchangeAsync(Wire.Get10KeepAlive);

        Assert.Null(persistent.Answer.Field("Connection"));
        Assert.Equal("close", closing.Answer.Field("Connection"));
        Assert.Equal("close", old.Answer.Field("Connection"));
        Assert.Equal("keep-alive", oldKeepAlive.Answer.Field("Connection"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_status_line_is_1_1_for_an_old_client_too(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.Get10, Nothing);

        Assert.Equal("HTTP/1.1 200 OK", exchange.Answer.StatusLine);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_reason_phrase_is_the_apps_or_the_registered_one_or_empty(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Query["status"]!);
            context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = context.Request.Query["reason"];
            return Task.CompletedTask;
        });

        Assert.Equal("HTTP/1.1 404 Not Found", (await host.GetAsync("/?status=404")).Answer.StatusLine);
        Assert.Equal("HTTP/1.1 404 Gone fishing", (await host.GetAsync("/?status=404&reason=Gone%20fishing")).Answer.StatusLine);
        Assert.Equal("HTTP/1.1 299 ", (await host.GetAsync("/?status=299")).Answer.StatusLine);
    }

    private static Task Nothing(HttpContext context) => Task.CompletedTask;

    private static async Task Hello(HttpContext context) => await context.Response.Body.WriteAsync("hello"u8.ToArray());

    private static RequestDelegate WithLength(long length, params string[] writes) => async context =>
    {
        context.Response.ContentLength = length;
        foreach (var write in writes)
            await context.Response.Body.WriteAsync(write.Ascii());
    };

    private static RequestDelegate Status(int status, long? length = null) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = length;
        return Task.CompletedTask;
    };

    private static RequestDelegate WithConnection(string option) => context =>
    {
        context.Response.Headers.Connection = option;
        return Task.CompletedTask;
    };

    private static void Put(PipeWriter writer, string text)
    {
        text.Ascii().CopyTo(writer.GetSpan(text.Length));
        writer.Advance(text.Length);
    }
}
