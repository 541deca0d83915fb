// Zero allocations per request: a native application on the simulated loop. Whatever is counted is the server's, since the application
// allocates nothing.

using System.Threading.Tasks.Sources;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class NativeTests
{
    private static readonly FieldList Fields = new FieldList().Add("Content-Type", "text/plain").Add("Content-Length", "13");
    private static readonly FieldList Unsized = new FieldList().Add("Content-Type", "text/plain");
    private static readonly byte[] Content = "Hello, World!"u8.ToArray();

    [OptimizedFact]
    public void A_plaintext_request() => DemandNone(new PlaintextApplication(), Messages.Wrk, Wire.Plaintext);

    [OptimizedFact]
    public void Sixteen_pipelined_requests() =>
        DemandNone(new PlaintextApplication(), Wire.Sixteen(Messages.Wrk), Wire.Sixteen(Wire.Plaintext));

    [OptimizedFact]
    public void A_request_for_the_head() => DemandNone(new PlaintextApplication(), Wire.HeadOf(Messages.Wrk), Wire.Head);

    [OptimizedFact]
    public void The_scope_and_three_of_fifteen_fields_as_bytes() => DemandNone(
        new Application(static exchange =>
        {
            var scope = exchange.Scope;
            var isKnown = scope.Method == "GET" && scope.Path == "/articles/2026/11"
                && scope.Headers.GetValue(scope.Headers.Find("Host")).Length == 15
                && scope.Headers.GetValue(scope.Headers.Find("user-agent")).Length == Messages.BrowserUserAgentLength
                && scope.Headers.Find("X-Not-There") < 0;
            exchange.Send(new ResponseStart(isKnown ? 200 : 500, Fields));
            return exchange.SendAsync(new ResponseBody(Content));
        }),
        Messages.Browser,
        Wire.Plaintext);

    [OptimizedTheory]
    [InlineData(Wire.Post)]
    [InlineData(Wire.ChunkedPost)]
    public void Five_bytes_received(string request) => DemandNone(
        new Application(static exchange =>
        {
            long length = 0;
            for (var isMore = true; isMore;)
            {
                var body = exchange.ReceiveAsync().Result;
                length += body.Body.Length;
                isMore = body.MoreBody;
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }

            exchange.Send(new ResponseStart(length == 5 ? 200 : 500, Fields));
            return exchange.SendAsync(new ResponseBody(Content));
        }),
        request,
        Wire.Plaintext);

    [OptimizedFact]
    public void Two_chunks_sent() => DemandNone(
        new Application(static exchange =>
        {
            exchange.Send(new ResponseStart(200, Unsized));
            var first = exchange.SendAsync(new ResponseBody(Content, MoreBody: true));
            return first.IsCompletedSuccessfully ? exchange.SendAsync(new ResponseBody(Content)) : first;
        }),
        Messages.Wrk,
        Wire.Head.Replace("Content-Length: 13\r\n", "", StringComparison.Ordinal)
            .Replace("text/plain\r\n", "text/plain\r\nTransfer-Encoding: chunked\r\n", StringComparison.Ordinal)
            + "d\r\nHello, World!\r\nd\r\nHello, World!\r\n0\r\n\r\n");

    [OptimizedFact]
    public void A_request_that_is_answered_on_another_thread()
    {
        var application = new LaterApplication();
        using var other = new OtherThread { Work = application.GoOn };
        using var bed = new AllocationBed(application);

        Assert.Equal(0, bed.AllocatedBy(Messages.Wrk, Wire.Plaintext, other));
    }

    /// <summary>Fails if the counting does: one object per request is seen to the byte.</summary>
    [OptimizedFact]
    public void One_object_a_request_would_be_found()
    {
        using var bed = new AllocationBed(new Application(static exchange =>
        {
            GC.KeepAlive(new object());
            exchange.Send(new ResponseStart(200, Fields));
            return exchange.SendAsync(new ResponseBody(Content));
        }));

        Assert.Equal(3 * IntPtr.Size, bed.AllocatedBy(Messages.Wrk, Wire.Plaintext));
    }

    private static void DemandNone(IAsgiApplication application, string request, string response)
    {
        using var bed = new AllocationBed(application);
        Assert.Equal(0, bed.AllocatedBy(request, response));
    }

    private sealed class Application(Func<HttpExchange, ValueTask> run) : IAsgiApplication
    {
        public ValueTask RunAsync(HttpExchange exchange) => run(exchange);
    }

    /// <summary>Its task is its own object, used again.</summary>
    private sealed class LaterApplication : IAsgiApplication, IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;
        private HttpExchange? _exchange;

        public ValueTask RunAsync(HttpExchange exchange)
        {
            _core.Reset();
            _exchange = exchange;
            return new ValueTask(this, _core.Version);
        }

        public void GoOn()
        {
            _exchange!.Send(new ResponseStart(200, Fields));
            Assert.True(_exchange.SendAsync(new ResponseBody(Content)).IsCompletedSuccessfully);
            _core.SetResult(true);
        }

        public void GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
