// What an application keeps of a request that is over no longer works, whether it was used before or not.

using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Application;

public sealed class OverRequestTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_cannot_be_read_when_the_request_is_over(bool wasUsedBefore)
    {
        IFeatureCollection? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            kept = context.Features;
            if (wasUsedBefore)
            {
                _ = kept.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
            }

            return Task.CompletedTask;
        });
        server.Connect(Apps.Get);

        var reader = kept!.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
        Assert.Throws<ObjectDisposedException>(() => reader.TryRead(out _));
        var stream = kept!.GetRequiredFeature<IHttpRequestFeature>().Body;
        Assert.Throws<ObjectDisposedException>(() => stream.ReadAsync(new byte[1]).AsTask().GetAwaiter().GetResult());
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_cannot_be_written_when_the_request_is_over(bool wasUsedBefore)
    {
        IFeatureCollection? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            kept = context.Features;
            if (wasUsedBefore)
            {
                _ = kept.GetRequiredFeature<IHttpResponseBodyFeature>().Stream;
            }

            return Task.CompletedTask;
        });
        server.Connect(Apps.Get);

        var response = kept!.GetRequiredFeature<IHttpResponseBodyFeature>();
        Assert.Throws<ObjectDisposedException>(() => response.Writer.GetMemory());
        Assert.Throws<ObjectDisposedException>(() => response.Stream.WriteAsync(new byte[1]).AsTask().GetAwaiter().GetResult());
        server.DemandNothingLeft();
    }

    [Fact]
    public void What_is_asked_too_late_is_not_told_to_the_next_request()
    {
        const string request = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
        HttpContext? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            if (kept is not null)
            {
                return context.Response.WriteAsync($"{context.Request.Path}{context.Request.QueryString}");
            }

            // The target is known from here on, its parts are not.
            kept = context;
            _ = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            return Task.CompletedTask;
        });
        var client = server.Connect(request);
        Assert.Equal(("", ""), (kept!.Request.Path.Value, kept.Request.QueryString.Value));

        client.Send(request);
        server.Run();

        Assert.Equal("/a?b", Responses.Of(client)[1].Content);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("close by client")]
    [InlineData("close by application")] // the client may send more, which is thrown away
    [InlineData("abort")]
    public void What_an_application_keeps_knows_of_no_other_connection(string way)
    {
        HttpContext? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            if (kept is null)
            {
                kept = context;
                if (way == "close by application")
                {
                    context.Response.Headers.Connection = "close";
                }
                else if (way == "abort")
                {
                    context.Abort();
                }
            }

            return Task.CompletedTask;
        });
        var field = way == "close by client" ? "Connection: close\r\n" : "";
        var client = server.Connect($"GET /public?public HTTP/1.1\r\nHost: public\r\nCookie: public\r\n{field}\r\n");
        Assert.Equal(way == "abort" ? ConnectionEnd.Reset : ConnectionEnd.Fin, client.End);

        // In the same memory, at the same places.
        server.Connect("GET /secret?secret HTTP/1.1\r\nHost: secret\r\nCookie: secret\r\n");

        Assert.Equal("", kept!.Request.Path.Value);
        Assert.Equal("", kept.Request.QueryString.Value);
        Assert.Equal("", kept.Request.Headers.Cookie.ToString());
        Assert.Empty(kept.Request.Headers);
        server.DemandNothingLeft();
    }
}
