// What an ASP.NET app is told of a request of HTTP/2, and the features only that has; WebSockets over it (RFC 8441).

using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class FeatureTests
{
    [Fact]
    public void A_request_is_told_as_it_came()
    {
        using var server = Serve(context => context.Response.WriteAsync(string.Join(
            ' ',
            context.Request.Protocol,
            context.Request.Method,
            context.Request.Scheme,
            context.Request.Host,
            context.Request.Path,
            context.Request.QueryString,
            context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            context.Request.Headers.Cookie,
            context.TraceIdentifier[^9..],
            context.Features.Get<IHttp2StreamIdFeature>()!.StreamId)));
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Request(19, "PUT", "/a%20b?c=d", true, "cookie: e=f", "cookie: g=h"));

        Assert.Equal("HTTP/2 PUT http a /a b ?c=d /a%20b?c=d e=f; g=h :00000013 19", peer[19].Content);
    }

    [Fact]
    public void The_features_are_those_of_HTTP_2()
    {
        using var server = Serve(context =>
        {
            var features = context.Features;
            Assert.NotNull(features.Get<IHttpResetFeature>());
            Assert.NotNull(features.Get<IHttpResponseTrailersFeature>());
            Assert.NotNull(features.Get<IHttpExtendedConnectFeature>());
            Assert.Null(features.Get<IHttpMinResponseDataRateFeature>());
            Assert.False(features.Get<IHttpUpgradeFeature>()!.IsUpgradableRequest);
            Assert.False(features.Get<IHttpExtendedConnectFeature>()!.IsExtendedConnect);
            Assert.Equal(
                context.Request.Method == "POST", features.Get<IHttpRequestBodyDetectionFeature>()!.CanHaveBody);
            features.Get<IPersistentStateFeature>()!.State["seen"] = true;
            return Task.CompletedTask;
        });
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Post(3), DataFrame(3, "", end: true));

        Assert.Equal(("200", "200"), (peer[1].Status, peer[3].Status));
    }

    [Fact]
    public void HTTP_1_has_none_of_them()
    {
        using var server = HostedDelegate.Serve(context =>
        {
            Assert.Null(context.Features.Get<IHttpResetFeature>());
            Assert.Null(context.Features.Get<IHttp2StreamIdFeature>());
            Assert.NotNull(context.Features.Get<IHttpMinResponseDataRateFeature>());
            return Task.CompletedTask;
        });

        Assert.StartsWith("HTTP/1.1 200 ", server.Connect(Apps.Get).Received, StringComparison.Ordinal);
    }

    [Fact]
    public void The_state_of_a_stream_is_its_own_while_others_run()
    {
        var gate = new TaskCompletionSource();
        using var server = Serve(async context =>
        {
            var state = context.Features.Get<IPersistentStateFeature>()!.State;
            state["path"] = context.Request.Path.Value;
            await gate.Task;
            await context.Response.WriteAsync((string)state["path"]!);
        });
        var peer = new Http2Peer(server);
        peer.Send(Request(1, path: "/one"), Request(3, path: "/two"));
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();

        Assert.Equal(("/one", "/two"), (peer[1].Content, peer[3].Content));
    }

    [Fact]
    public void An_extended_CONNECT_is_accepted_and_carries_bytes_both_ways()
    {
        using var server = Serve(async context =>
        {
            var connect = context.Features.Get<IHttpExtendedConnectFeature>()!;
            Assert.Equal((true, "websocket", "CONNECT"), (connect.IsExtendedConnect, connect.Protocol, context.Request.Method));
            Assert.Equal("/chat", context.Request.Path);
            Assert.True(context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.IsReadOnly);
            Assert.False(context.Features.Get<IHttpRequestBodyDetectionFeature>()!.CanHaveBody);
            var stream = await connect.AcceptAsync();
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await connect.AcceptAsync());
            var buffer = new byte[100];
            for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read));
            }

            await stream.WriteAsync("bye"u8.ToArray());
        });
        var peer = new Http2Peer(server);
        peer.Send(Connect(1));
        Assert.Equal(["HEADERS 1"], peer.Told);
        Assert.Equal("200", peer[1].Status);
        Assert.DoesNotContain("content-length", peer[1].Head.Keys);

        peer.Send(DataFrame(1, "hello"));
        Assert.Equal("hello", peer[1].Content);
        peer.Send(DataFrame(1, "", end: true));
        Assert.Equal(("hellobye", true), (peer[1].Content, peer[1].IsEnded));
        server.DemandNothingLeft();
    }

    [Fact]
    public void What_comes_before_an_extended_CONNECT_is_accepted_waits_for_that()
    {
        var gate = new TaskCompletionSource();
        using var server = Serve(async context =>
        {
            Assert.Equal(0, await context.Request.Body.ReadAsync(new byte[10]));
            await gate.Task;
            var stream = await context.Features.Get<IHttpExtendedConnectFeature>()!.AcceptAsync();
            var buffer = new byte[10];
            await stream.WriteAsync(buffer.AsMemory(0, await stream.ReadAsync(buffer)));
        });
        var peer = new Http2Peer(server);
        peer.Send(Connect(1), DataFrame(1, "early"));
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();

        Assert.Equal("early", peer[1].Content);
        Assert.Equal(0u, peer[1].ResetCode);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_2xx_to_an_extended_CONNECT_has_no_content_of_its_own_and_another_status_has()
    {
        using var server = Serve(async context =>
        {
            if (context.Request.Path == "/no")
            {
                context.Response.StatusCode = 403;
                await context.Response.WriteAsync("no");
                return;
            }

            await Assert.ThrowsAsync<InvalidOperationException>(() => context.Response.WriteAsync("x"));
            await Assert.ThrowsAsync<InvalidOperationException>(
                async () => await context.Features.Get<IHttpExtendedConnectFeature>()!.AcceptAsync());
        });
        var peer = new Http2Peer(server);
        peer.Send(Connect(1, "/no"), Connect(3));

        Assert.Equal(("403", "no"), (peer[1].Status, peer[1].Content));
        Assert.True(peer[3].IsEnded || peer[3].ResetCode is not null);
        server.DemandNothingLeft();
    }

    private static byte[] Connect(uint id, string path = "/chat") => Headers(
        id, end: false, ":method: CONNECT", ":protocol: websocket", ":scheme: http", $":path: {path}", ":authority: a");

    private static SimulatedServer Serve(RequestDelegate run) => HostedDelegate.Serve(run, isHttp2: true);
}
