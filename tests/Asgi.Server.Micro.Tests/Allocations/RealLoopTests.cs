// Zero allocations per request on a real loop: loopback sockets, the system calls of the platform's backend, the watchdog.

using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class RealLoopTests
{
    private readonly LoopThread _thread = new();

    [EpollTheory]
    [InlineData(Messages.Wrk, 1)]
    [InlineData(Messages.Wrk, 16)]
    [InlineData(Messages.Browser, 1)]
    public async Task A_native_application(string request, int pipelined)
    {
        var application = new Native(_thread);
        using var server = CreateServer();
        await server.StartAsync(application, CancellationToken.None);

        _thread.Drive(EndPointOf(server), request, pipelined);

        Assert.Equal(0, _thread.AllocatedPerRequest());
    }

    [EpollTheory]
    [InlineData(Messages.Wrk, 1)]
    [InlineData(Messages.Wrk, 16)]
    [InlineData(Wire.Post, 1)]
    public async Task An_application_over_features(string request, int pipelined)
    {
        using var server = CreateServer();
        await server.StartAsync(new Hosted(_thread), CancellationToken.None);

        _thread.Drive(EndPointOf(server), request, pipelined);

        Assert.Equal(0, _thread.AllocatedPerRequest());
    }

    private static AsgiServer CreateServer()
    {
        var options = new AsgiServerOptions();
        LoopThread.Configure(options);
        var server = new AsgiServer(Options.Create(options), NullLoggerFactory.Instance);
        server.Features.Get<IServerAddressesFeature>()!.Addresses.Add("http://127.0.0.1:0");
        return server;
    }

    private static IPEndPoint EndPointOf(AsgiServer server) =>
        new(IPAddress.Loopback, new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port);

    private sealed class Native(LoopThread thread) : IAsgiApplication
    {
        private readonly PlaintextApplication _plaintext = new();

        public ValueTask RunAsync(HttpExchange exchange)
        {
            thread.NoteRequest(exchange);
            return _plaintext.RunAsync(exchange);
        }
    }

    private sealed class Hosted(LoopThread thread) : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures)
        {
            thread.NoteRequest(contextFeatures);
            return contextFeatures;
        }

        public Task ProcessRequestAsync(IFeatureCollection context)
        {
            if (HttpMethods.IsPost(context.Get<IHttpRequestFeature>()!.Method))
            {
                var reader = context.Get<IRequestBodyPipeFeature>()!.Reader;
                Assert.True(reader.TryRead(out var read) && read is { IsCompleted: true, Buffer.Length: 5 });
                reader.AdvanceTo(read.Buffer.End);
            }

            PlaintextFeatures.Answer(context);
            return Task.CompletedTask;
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
