// A native ASGI application, without ASP.NET, and the server run by hand: what `--raw` starts. The application runs on the server's loops.

using System.Runtime.InteropServices;
using Asgi;
using Asgi.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

internal sealed class RawApplication : IAsgiApplication
{
    private static readonly FieldList Fields = new FieldList().Add("Content-Type", "text/plain");
    private static readonly byte[] Content = "Hello, World!"u8.ToArray();

    public ValueTask RunAsync(HttpExchange exchange)
    {
        exchange.Send(new ResponseStart(200, Fields));
        return exchange.SendAsync(new ResponseBody(Content));
    }

    /// <summary>Serves until SIGINT or SIGTERM; requests in flight are then answered, for at most 30 seconds.</summary>
    public static async Task ServeAsync(string[] args)
    {
        using var server = new AsgiServer(Options.Create(new AsgiServerOptions()), NullLoggerFactory.Instance);
        var addresses = server.Features.Get<IServerAddressesFeature>()!.Addresses;
        foreach (var url in new ConfigurationBuilder().AddCommandLine(args).Build()["urls"]?.Split(';') ?? [])
            addresses.Add(url);

        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await server.StartAsync(new RawApplication(), CancellationToken.None);
        foreach (var address in addresses)
            Console.WriteLine($"Now listening on: {address}");

        await stop.Task;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await server.StopAsync(patience.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }
    }
}
