// A native ASGI application: in the sample's --raw mode, and as somebody embeds the server with public API alone.

using System.Text;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Clients.Tests;

public sealed class NativeApplicationTests(RawSampleProcess sample) : IClassFixture<RawSampleProcess>
{
    [ClientFact("curl")]
    public async Task The_raw_sample_answers_curl()
    {
        var output = (await ClientProcess.RunAsync("curl", "--silent", "--show-error", "--include", sample.Address.AbsoluteUri)).Succeeded;

        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/plain\r\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nHello, World!", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Samples_end_well_on_SIGTERM()
    {
        foreach (var process in new[] { new SampleProcess(), new RawSampleProcess() })
        {
            await process.InitializeAsync();
            await using var idle = await RawClient.ConnectAsync(process.EndPoint);
            Assert.True(await idle.ProbeAsync());

            Assert.Equal(0, await process.TerminateAsync());

            Assert.Equal("", await idle.ReadToEndAsync());
            await process.DisposeAsync();
        }
    }

    [Fact]
    public async Task Ten_lines_and_a_server()
    {
        using var server = new AsgiServer(Options.Create(new AsgiServerOptions()), NullLoggerFactory.Instance);
        var addresses = server.Features.Get<IServerAddressesFeature>()!.Addresses;
        addresses.Add("http://127.0.0.1:0");
        await server.StartAsync(new Shout(), CancellationToken.None);
        using var client = new HttpClient();

        using var response = await client.PostAsync(new Uri(addresses.Single() + "/loud?x=1"), new StringContent("hello"));
        await server.StopAsync(CancellationToken.None);

        Assert.Equal("POST /loud x=1: HELLO", await response.Content.ReadAsStringAsync());
    }

    private sealed class Shout : IAsgiApplication
    {
        public async ValueTask RunAsync(HttpExchange exchange)
        {
            RequestBody message;
            while ((message = await exchange.ReceiveAsync()).MoreBody)
                exchange.AdvanceTo(message.Body.Start, message.Body.End);
            var text = Encoding.UTF8.GetString(message.Body).ToUpperInvariant();
            exchange.AdvanceTo(message.Body.End, message.Body.End);

            exchange.Send(new ResponseStart(200));
            await exchange.SendAsync(new ResponseBody(Encoding.UTF8.GetBytes(
                $"{exchange.Scope.Method} {exchange.Scope.Path} {Encoding.UTF8.GetString(exchange.Scope.QueryString)}: {text}")));
        }
    }
}
