// The least that ASP.NET's hosting and pipeline can run a request on: the features they ask for, made once, and nothing behind them. What
// is allocated over it is hosting's own. Not a server: one request at a time, on the caller's thread.

using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Asgi.Server.Micro.Tests.Allocations;

/// <summary>A server to a host, so that the host gives it its application.</summary>
internal sealed class BareServer : IServer
{
    /// <summary>Runs a GET of a path; set when the host has started.</summary>
    public Func<string, (int Status, long Length)> Run { get; private set; } = null!;

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public BareServer() => Features.Set<IServerAddressesFeature>(new ServerAddressesFeature());

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        var features = new BareFeatures<TContext>();
        Run = path =>
        {
            features.Begin();
            features.Path = path;
            var context = application.CreateContext(features);
            var task = application.ProcessRequestAsync(context);
            Assert.True(task.IsCompletedSuccessfully);
            application.DisposeContext(context, null);
            return (features.StatusCode, features.Writer.Length);
        };
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
}

internal sealed class BareFeatures<TContext> :
    IFeatureCollection,
    IHttpRequestFeature,
    IHttpResponseFeature,
    IHttpResponseBodyFeature,
    IHttpRequestLifetimeFeature,
    IHttpRequestIdentifierFeature,
    IEndpointFeature,
    IRouteValuesFeature,
    IHostContextContainer<TContext>
    where TContext : notnull
{
    private readonly Dictionary<Type, object> _others = [];
    private readonly HeaderDictionary _responseHeaders = [];
    private readonly HeaderDictionary _requestHeaders = new() { ["Host"] = "127.0.0.1:5000" };
    private RouteValueDictionary? _routeValues;

    public BareWriter Writer { get; } = new();

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public TContext? HostContext { get; set; }

    public string Protocol { get; set; } = "HTTP/1.1";

    public string Scheme { get; set; } = "http";

    public string Method { get; set; } = "GET";

    public string PathBase { get; set; } = "";

    public string Path { get; set; } = "/plaintext";

    public string QueryString { get; set; } = "";

    public string RawTarget { get; set; } = "/plaintext";

    public int StatusCode { get; set; }

    public string? ReasonPhrase { get; set; }

    public bool HasStarted => false;

    public CancellationToken RequestAborted { get; set; }

    public string TraceIdentifier { get; set; } = "";

    public Endpoint? Endpoint { get; set; }

    public Stream Stream => Stream.Null;

    PipeWriter IHttpResponseBodyFeature.Writer => Writer;

    Stream IHttpRequestFeature.Body { get; set; } = Stream.Null;

    Stream IHttpResponseFeature.Body { get; set; } = Stream.Null;

    IHeaderDictionary IHttpRequestFeature.Headers
    {
        get => _requestHeaders;
        set => throw new NotSupportedException();
    }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _responseHeaders;
        set => throw new NotSupportedException();
    }

    [AllowNull]
    public RouteValueDictionary RouteValues
    {
        get => _routeValues ??= [];
        set => _routeValues = value;
    }

    public object? this[Type key]
    {
        get => key.IsInstanceOfType(this) ? this : _others.GetValueOrDefault(key);
        set => SetOther(key, value);
    }

    public void Begin()
    {
        Revision++;
        _others.Clear();
        _responseHeaders.Clear();
        _routeValues = null;
        Endpoint = null;
        StatusCode = 200;
        Writer.Clear();
    }

    public TFeature? Get<TFeature>() => this is TFeature own ? own : (TFeature?)_others.GetValueOrDefault(typeof(TFeature));

    public void Set<TFeature>(TFeature? instance) => SetOther(typeof(TFeature), instance);

    public void OnStarting(Func<object, Task> callback, object state) => throw new NotSupportedException();

    public void OnCompleted(Func<object, Task> callback, object state) => throw new NotSupportedException();

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task CompleteAsync() => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public void Abort()
    {
    }

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _others.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void SetOther(Type key, object? instance)
    {
        Revision++;
        if (instance is null)
        {
            _others.Remove(key);
        }
        else
        {
            _others[key] = instance;
        }
    }
}

internal sealed class BareWriter : PipeWriter
{
    private readonly byte[] _buffer = new byte[4096];

    public long Length { get; private set; }

    public void Clear() => Length = 0;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

    public override Span<byte> GetSpan(int sizeHint = 0) => _buffer;

    public override void Advance(int bytes) => Length += bytes;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
