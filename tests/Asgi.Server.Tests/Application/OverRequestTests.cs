// What an application keeps of a request that is over no longer works, whether it was used before or not.

using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
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
}
