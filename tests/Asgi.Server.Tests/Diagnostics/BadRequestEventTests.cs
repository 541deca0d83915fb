// The DiagnosticSource events of bad requests: Kestrel's payload, under the server's name and under Kestrel's.

using System.Diagnostics;
using System.Net;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class BadRequestEventTests
{
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    [Theory]
    [InlineData("Asgi.Server.BadRequest")]
    [InlineData(Kestrel)]
    public void A_refused_head_is_told_with_the_exception_and_the_connection(string name)
    {
        using var server = new SimulatedServer(Apps.Path);
        var events = new Events(name);
        using var subscription = events.Subscribe(server.Listener);
        var client = server.Connect("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n");

        var (heard, features) = Assert.Single(events.Heard);
        Assert.Equal(name, heard);
        var error = Assert.IsType<BadHttpRequestException>(features.Get<IBadRequestExceptionFeature>()!.Error);
        Assert.Equal(400, error.StatusCode);
        var connection = features.Get<IHttpConnectionFeature>()!;
        Assert.Equal(client.LocalEndPoint, new IPEndPoint(connection.RemoteIpAddress!, connection.RemotePort));
        Assert.Equal(IPAddress.Loopback, connection.LocalIpAddress);
        Assert.NotEqual(0, connection.LocalPort);
        Assert.Equal(connection.ConnectionId, features.Get<IConnectionIdFeature>()!.ConnectionId);
        Assert.Contains(
            server.Log.Entries, entry => entry.Id.Id == 17 && entry.Message.Contains(connection.ConnectionId, StringComparison.Ordinal));
    }

    [Fact]
    public void Refused_content_is_told_with_the_features_of_its_request()
    {
        var path = "";
        using var server = HostedDelegate.Serve(async context => await context.Request.Body.CopyToAsync(Stream.Null));
        var events = new Events("Asgi.Server.BadRequest", features => path = features.Get<IHttpRequestFeature>()!.Path);
        using var subscription = events.Subscribe(server.Listener);
        server.Connect("POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");

        Assert.Equal((1, "/upload"), (events.Heard.Count, path));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 500)]
    public void A_subscriber_that_throws_is_an_error_of_the_application_and_its_client_is_answered(string sent, int status)
    {
        using var server = HostedDelegate.Serve(async context => await context.Request.Body.CopyToAsync(Stream.Null));
        var events = new Events("Asgi.Server.BadRequest", _ => throw new InvalidOperationException("The subscriber's."));
        using var subscription = events.Subscribe(server.Listener);
        var client = server.Connect(sent);

        Assert.Equal([status], Responses.Of(client).Select(response => response.Status));
        var entry = Assert.Single(server.Log.Entries, entry => entry.Exception is not null);
        Assert.Equal((LogLevel.Error, 101), (entry.Level, entry.Id.Id));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Errors_of_the_application_and_good_requests_are_not_told()
    {
        using var server = HostedDelegate.Serve(context =>
            context.Request.Path == "/bad" ? throw new BadHttpRequestException("The application's own.") : Task.CompletedTask);
        var events = new Events("Asgi.Server.BadRequest");
        using var subscription = events.Subscribe(server.Listener);
        server.Connect("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Empty(events.Heard);
    }

    [Fact]
    public async Task The_listener_is_the_hosts()
    {
        var events = new Events(Kestrel);
        await using var host = await AppHost.StartAsync(_ => Task.CompletedTask);
        using var subscription = events.Subscribe(host.Application.Services.GetRequiredService<DiagnosticListener>());

        _ = await RawClient.ExchangeAsync(host.EndPoint, "GET / HTTP/1.1\r\n\r\n");

        Assert.Single(events.Heard);
    }

    private sealed class Events(string name, Action<IFeatureCollection>? then = null) : IObserver<KeyValuePair<string, object?>>
    {
        public List<(string Name, IFeatureCollection Features)> Heard { get; } = [];

        public IDisposable Subscribe(DiagnosticListener listener) => listener.Subscribe(this, (heard, _, _) => heard == name);

        public void OnNext(KeyValuePair<string, object?> value)
        {
            var features = Assert.IsType<IFeatureCollection>(value.Value, exactMatch: false);
            Heard.Add((value.Key, features));
            then?.Invoke(features);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
