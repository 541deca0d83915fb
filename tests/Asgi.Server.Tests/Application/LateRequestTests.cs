// Requests whose application is done after its call has returned: their end is what it is for the others, in the context of their start,
// and the connection's next request is not disturbed by how the last one ended.

using Asgi.Server.Application;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Application;

public sealed class LateRequestTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private readonly Stage _stage = new();

    [Fact]
    public void What_flows_from_the_start_of_a_request_is_there_at_its_end()
    {
        using var server = Serve(out var client);

        foreach (var _ in new[] { 1, 2 })
        {
            client.Send(Request);
            server.Run();
            Assert.Equal("", client.Take());
            SimulatedServer.OffLoop(() => _stage.Pending.SetResult());
            server.Run();
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", client.Take(), StringComparison.Ordinal);
        }

        Assert.Equal(["dispose 1", "dispose 2"], _stage.Events);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_failure_is_answered_and_the_next_request_is_served()
    {
        using var server = Serve(out var client);

        client.Send(Request + Request);
        server.Run();
        SimulatedServer.OffLoop(() => _stage.Pending.SetException(new InvalidOperationException("broken")));
        server.Run();
        Assert.StartsWith("HTTP/1.1 500 ", client.Take(), StringComparison.Ordinal);

        SimulatedServer.OffLoop(() => _stage.Pending.SetResult());
        server.Run();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", client.Take(), StringComparison.Ordinal);
        Assert.Equal(["dispose 1: broken", "dispose 2"], _stage.Events);
        Assert.Equal("broken", Assert.Single(server.Told).Exception?.Message);
    }

    [Fact]
    public void Callbacks_are_called_before_the_context_is_disposed_of()
    {
        using var server = Serve(out var client);
        var callback = new TaskCompletionSource();

        client.Send(Request);
        server.Run();
        SimulatedServer.OffLoop(() =>
        {
            var response = _stage.Features.Get<IHttpResponseFeature>()!;
            response.OnStarting(
                _ =>
                {
                    _stage.Events.Add("starting");
                    return callback.Task;
                },
                _stage);
            response.OnCompleted(
                _ =>
                {
                    _stage.Events.Add("completed");
                    return Task.CompletedTask;
                },
                _stage);
            _stage.Pending.SetResult();
        });
        server.Run();
        Assert.Equal(["starting"], _stage.Events);
        Assert.Equal("", client.Take());

        SimulatedServer.OffLoop(callback.SetResult);
        server.Run();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", client.Take(), StringComparison.Ordinal);
        Assert.Equal(["starting", "completed", "dispose 1"], _stage.Events);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // by the way that waits for callbacks
    public void What_disposing_throws_is_logged_and_the_connection_goes_on(bool hasCallback)
    {
        using var server = Serve(out var client);
        _stage.FailsToDispose = true;

        client.Send(Request + Request);
        server.Run();
        SimulatedServer.OffLoop(() =>
        {
            if (hasCallback)
                _stage.Features.Get<IHttpResponseFeature>()!.OnCompleted(_ => Task.CompletedTask, _stage);
            _stage.Pending.SetResult();
        });
        server.Run();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", client.Take(), StringComparison.Ordinal);
        Assert.Equal("not disposed of", Assert.Single(server.Told, entry => entry.Level == LogLevel.Error).Exception?.Message);

        _stage.FailsToDispose = false;
        SimulatedServer.OffLoop(() => _stage.Pending.SetResult());
        server.Run();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", client.Take(), StringComparison.Ordinal);
        Assert.Equal(["dispose 1", "dispose 2"], _stage.Events);
    }

    private SimulatedServer Serve(out SimulatedClient client)
    {
        var server = new SimulatedServer(log => new HostedApplication<int>(_stage, log));
        client = server.Connect();
        return server;
    }

    /// <summary>An application that waits for the test in each request; its context is the number of the request.</summary>
    private sealed class Stage : IHttpApplication<int>
    {
        private readonly AsyncLocal<int> _flowing = new();
        private int _count;

        public TaskCompletionSource Pending { get; private set; } = new();

        public IFeatureCollection Features { get; private set; } = null!;

        public List<string> Events { get; } = [];

        public bool FailsToDispose { get; set; }

        public int CreateContext(IFeatureCollection contextFeatures)
        {
            Features = contextFeatures;
            return _flowing.Value = ++_count;
        }

        public Task ProcessRequestAsync(int context) => (Pending = new TaskCompletionSource()).Task;

        public void DisposeContext(int context, Exception? exception)
        {
            Assert.Equal(context, _flowing.Value);
            Events.Add($"dispose {context}{(exception is null ? "" : $": {exception.Message}")}");
            if (FailsToDispose)
                throw new InvalidOperationException("not disposed of");
        }
    }
}
