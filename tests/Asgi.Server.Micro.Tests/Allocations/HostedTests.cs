// Zero allocations per request: an ASP.NET application on the simulated loop, through the features that the server gives it. The
// application is a function over the feature collection, so whatever is counted is the server's.

using Asgi.Server.Application;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class HostedTests
{
    [OptimizedFact]
    public void A_plaintext_request() => DemandNone(PlaintextFeatures.Answer, Messages.Wrk, Wire.Plaintext);

    [OptimizedFact]
    public void Sixteen_pipelined_requests() =>
        DemandNone(PlaintextFeatures.Answer, Wire.Sixteen(Messages.Wrk), Wire.Sixteen(Wire.Plaintext));

    [OptimizedFact]
    public void A_request_for_the_head() => DemandNone(PlaintextFeatures.Answer, Wire.HeadOf(Messages.Wrk), Wire.Head);

    [OptimizedFact]
    public void Three_of_fifteen_headers_with_the_same_values_again() => DemandNone(
        static features =>
        {
            var headers = features.Get<IHttpRequestFeature>()!.Headers;
            Demand(headers.Host[0]!.Length == 15);
            Demand(headers[HeaderNames.UserAgent][0]!.Length == Messages.BrowserUserAgentLength);
            Demand(headers.TryGetValue("sec-ch-ua-platform", out var platform) && platform[0] == "\"Linux\"");
            Demand(!headers.ContainsKey("X-Not-There"));
            PlaintextFeatures.Answer(features);
        },
        Messages.Browser,
        Wire.Plaintext);

    [OptimizedFact]
    public void The_request_line_and_the_connection() => DemandNone(
        static features =>
        {
            var request = features.Get<IHttpRequestFeature>()!;
            Demand(request is { Method: "GET", Scheme: "http", Protocol: "HTTP/1.1", PathBase: "", QueryString: "?sort=newest&page=2" });
            Demand(request.Path == "/articles/2026/11" && request.RawTarget.Length == 36);
            Demand(features.Get<IHttpConnectionFeature>() is { RemotePort: > 0, ConnectionId.Length: > 0, RemoteIpAddress: not null });
            PlaintextFeatures.Answer(features);
        },
        Messages.Browser,
        Wire.Plaintext);

    /// <summary>
    /// A source of its own, for who asks: a token that an application has kept must never tell of another request.
    /// </summary>
    [OptimizedFact]
    public void The_token_is_one_object()
    {
        using var bed = new AllocationBed(log => new HostedApplication<IFeatureCollection>(
            new Application(static features =>
            {
                Demand(!features.Get<IHttpRequestLifetimeFeature>()!.RequestAborted.IsCancellationRequested);
                PlaintextFeatures.Answer(features);
            }),
            log));

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var source = new CancellationTokenSource();
        var sourceSize = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(sourceSize, bed.AllocatedBy(Messages.Wrk, Wire.Plaintext));
    }

    [OptimizedTheory]
    [InlineData(Wire.Post)]
    [InlineData(Wire.ChunkedPost)]
    public void Five_bytes_read_by_the_body_reader(string request) => DemandNone(
        static features =>
        {
            var reader = features.Get<IRequestBodyPipeFeature>()!.Reader;
            long length = 0;
            for (var isCompleted = false; !isCompleted;)
            {
                var read = reader.ReadAsync().Result;
                length += read.Buffer.Length;
                isCompleted = read.IsCompleted;
                reader.AdvanceTo(read.Buffer.End);
            }

            Demand(length == 5);
            PlaintextFeatures.Answer(features);
        },
        request,
        Wire.Plaintext);

    [OptimizedFact]
    public void Five_bytes_read_by_the_stream()
    {
        var buffer = new byte[16];
        DemandNone(
            features =>
            {
                var body = features.Get<IHttpRequestFeature>()!.Body;
                var length = 0;
                for (int read; (read = body.ReadAsync(buffer.AsMemory()).Result) > 0;)
                {
                    length += read;
                }

                Demand(length == 5);
                PlaintextFeatures.Answer(features);
            },
            Wire.Post,
            Wire.Plaintext);
    }

    [OptimizedFact]
    public void Content_written_by_the_stream_and_flushed()
    {
        ReadOnlyMemory<byte> content = "Hello, World!"u8.ToArray();
        DemandNone(
            features =>
            {
                var response = features.Get<IHttpResponseFeature>()!;
                response.Headers.ContentType = "text/plain";
                response.Headers.ContentLength = 13;
                var body = features.Get<IHttpResponseBodyFeature>()!;
                Demand(body.StartAsync().IsCompletedSuccessfully);
                Demand(body.Stream.WriteAsync(content).IsCompletedSuccessfully);
                Demand(body.Writer.FlushAsync().IsCompletedSuccessfully);
                Demand(response.HasStarted);
            },
            Messages.Wrk,
            Wire.Plaintext);
    }

    [OptimizedFact]
    public void Callbacks_at_the_start_and_at_the_end() => DemandNone(
        static features =>
        {
            var response = features.Get<IHttpResponseFeature>()!;
            response.OnStarting(static _ => Task.CompletedTask, response);
            response.OnCompleted(static _ => Task.CompletedTask, response);
            PlaintextFeatures.Answer(features);
        },
        Messages.Wrk,
        Wire.Plaintext);

    [OptimizedFact]
    public void A_request_that_is_answered_on_another_thread()
    {
        var application = new LaterApplication();
        using var other = new OtherThread { Work = application.GoOn };
        using var bed = new AllocationBed(log => new HostedApplication<IFeatureCollection>(application, log));

        Assert.Equal(0, bed.AllocatedBy(Messages.Wrk, Wire.Plaintext, other));
    }

    private static void DemandNone(Action<IFeatureCollection> run, string request, string response)
    {
        using var bed = new AllocationBed(log => new HostedApplication<IFeatureCollection>(new Application(run), log));
        Assert.Equal(0, bed.AllocatedBy(request, response));
    }

    private static void Demand(bool isTrue)
    {
        if (!isTrue)
        {
            Assert.Fail("The application does not find what was sent.");
        }
    }

    private sealed class Application(Action<IFeatureCollection> run) : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context)
        {
            run(context);
            return Task.CompletedTask;
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }

    /// <summary>Its tasks are made before anything is counted.</summary>
    private sealed class LaterApplication : IHttpApplication<IFeatureCollection>
    {
        private readonly TaskCompletionSource[] _tasks =
            [.. Enumerable.Range(0, AllocationBed.WarmUpCount + AllocationBed.RequestCount + 1).Select(_ => new TaskCompletionSource())];

        private IFeatureCollection? _features;
        private int _count;

        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context)
        {
            _features = context;
            return _tasks[_count].Task;
        }

        public void GoOn()
        {
            PlaintextFeatures.Answer(_features!);
            _tasks[_count++].SetResult();
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
