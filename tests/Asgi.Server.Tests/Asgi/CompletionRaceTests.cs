// An application's task may complete on another thread between its return and the loop's look at it. Here it always does.

using System.Threading.Tasks.Sources;
using Asgi.Server.Testing;

namespace Asgi.Server.Tests.Waist;

public sealed class CompletionRaceTests
{
    [Theory]
    [InlineData("")]
    [InlineData("Connection: close\r\n")]
    public async Task What_another_thread_wrote_until_then_is_sent_before_the_connection_goes_on(string last)
    {
        await using var host = await NativeHost.StartAsync(exchange => new ValueTask(new CompletesWhenAsked(exchange), 0));
        await using var client = await RawClient.ConnectAsync(host.EndPoint);

        foreach (var line in new[] { "", "", last })
        {
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n");
            Assert.Equal("late", (await client.ReadResponseAsync())?.Content);
        }

        Assert.Equal(last.Length == 0, await client.ProbeAsync());
    }

    /// <summary>A task that is complete when it is asked and not before: another thread has responded by then.</summary>
    private sealed class CompletesWhenAsked(HttpExchange exchange) : IValueTaskSource
    {
        public ValueTaskSourceStatus GetStatus(short token)
        {
            var other = new Thread(Respond);
            other.Start();
            other.Join();
            return ValueTaskSourceStatus.Succeeded;
        }

        public void GetResult(short token)
        {
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            throw new NotSupportedException("It is complete whenever it is asked.");

        private void Respond()
        {
            if (exchange.HasStarted)
                return;
            exchange.Send(new ResponseStart(200));
            exchange.SendAsync(new ResponseBody("late"u8.ToArray())).AsTask().Wait();
        }
    }
}
