// The smallest useful application, native and as ASP.NET's hosting would give it to a server: 13 bytes with type and length.

using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Micro;

internal sealed class PlaintextApplication : IAsgiApplication
{
    private static readonly byte[] Content = "Hello, World!"u8.ToArray();
    private static readonly FieldList Fields = new FieldList().Add("Content-Type", "text/plain").Add("Content-Length", "13");

    public ValueTask RunAsync(HttpExchange exchange)
    {
        exchange.Send(new ResponseStart(200, Fields));
        return exchange.SendAsync(new ResponseBody(Content));
    }
}

/// <summary>No hosting and no pipeline: the application reads and writes the server's features itself.</summary>
internal sealed class PlaintextFeatures : IHttpApplication<IFeatureCollection>
{
    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public Task ProcessRequestAsync(IFeatureCollection context)
    {
        Answer(context);
        return Task.CompletedTask;
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    public static void Answer(IFeatureCollection features)
    {
        var response = features.Get<IHttpResponseFeature>()!;
        response.StatusCode = StatusCodes.Status200OK;
        response.Headers.ContentType = "text/plain";
        response.Headers.ContentLength = 13;
        var writer = features.Get<IHttpResponseBodyFeature>()!.Writer;
        "Hello, World!"u8.CopyTo(writer.GetSpan(13));
        writer.Advance(13);
    }
}
