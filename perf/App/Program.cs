// The app that is measured: the same routes and pipeline on each server, chosen by --server; static files come from --webroot.
// Started by Compare, which reads the address it listens on from the one line it prints. Nothing is logged, so that no server is
// charged for its log. Middlewares stand on branches of their routes: no other request passes through them.

using System.Buffers;
using System.Net.WebSockets;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
Endpoint.Listen(builder);

switch (builder.Configuration["server"])
{
    case "kestrel":
        break;
    case "kestrel-tuned": // beside DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1, which Compare sets
        builder.WebHost.UseSockets(options => options.UnsafePreferInlineScheduling = true);
        break;
    case "asgi":
        builder.WebHost.UseAsgiServer(options => Settings.Apply(options, builder.Configuration));
        break;
    default:
        throw new ArgumentException("--server is kestrel, kestrel-tuned or asgi.");
}

var app = builder.Build();
byte[] greeting = "Hello, World!"u8.ToArray();
byte[] zeros = new byte[1 << 20];

app.MapGet("/plaintext", context => Answer(context, greeting, "text/plain"));

app.MapGet("/json", () => new Message("Hello, World!"));

app.MapGet("/async", async context =>
{
    await Task.Yield();
    await Answer(context, greeting, "text/plain");
});

app.MapGet("/delay", async context =>
{
    await Task.Delay(1);
    await Answer(context, greeting, "text/plain");
});

app.MapPost("/upload", async context =>
{
    long length = 0;
    while (true)
    {
        var read = await context.Request.BodyReader.ReadAsync();
        length += read.Buffer.Length;
        context.Request.BodyReader.AdvanceTo(read.Buffer.End);
        if (read.IsCompleted)
            break;
    }
    await context.Response.WriteAsync(length.ToString());
});

app.MapGet("/bytes", (HttpContext context, int n) =>
{
    var content = zeros.AsMemory(0, Math.Clamp(n, 0, zeros.Length));
    context.Response.ContentType = "application/octet-stream";
    context.Response.ContentLength = content.Length;
    return context.Response.Body.WriteAsync(content).AsTask();
});

app.MapGet("/static/{file}", Branch(branch => branch.UseStaticFiles()));

app.MapGet("/echo", Branch(branch => branch.UseWebSockets().Run(EchoAsync)));

app.MapGrpc();
app.MapBlocking();
app.MapOwnFigures();

await app.StartAsync();
Console.WriteLine(app.Urls.Single());
await app.WaitForShutdownAsync();

static Task Answer(HttpContext context, ReadOnlyMemory<byte> content, string type)
{
    context.Response.ContentType = type;
    context.Response.ContentLength = content.Length;
    context.Response.BodyWriter.Write(content.Span); // no flush: the server may gather the answers of a pipelined batch
    return Task.CompletedTask;
}

// A route's own pipeline. The middleware of static files leaves a request alone for which routing has chosen an endpoint.
RequestDelegate Branch(Action<IApplicationBuilder> configure)
{
    IApplicationBuilder branch = ((IApplicationBuilder)app).New();
    branch.Use(next => context =>
    {
        context.SetEndpoint(null);
        return next(context);
    });
    configure(branch);
    return branch.Build();
}

static async Task EchoAsync(HttpContext context)
{
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    byte[] buffer = new byte[4096];
    while (true)
    {
        var received = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
        if (received.MessageType == WebSocketMessageType.Close)
            break;
        await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
    }
    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
}

internal sealed record Message(string message);
