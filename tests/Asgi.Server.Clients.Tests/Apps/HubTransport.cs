// The three transports of a SignalR connection, below the hub connection of .NET's client: the package with its own transports is not on
// every feed. Written to SignalR's transport protocols document. Made by HubClients; its two loops run on the thread pool.

using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Clients.Tests;

/// <summary>Connects hub clients by one transport and remembers the last connection, so that a test can break it.</summary>
internal sealed class HubTransports(HttpTransportType type, TransferFormat format = TransferFormat.Text) : IConnectionFactory
{
    public HubTransport? Last { get; private set; }

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Last = new HubTransport(((UriEndPoint)endpoint).Uri, type, format);
        await Last.StartAsync(cancellationToken);
        return Last;
    }
}

internal sealed class HubTransport : ConnectionContext, IDuplexPipe
{
    private readonly Uri _hub;
    private readonly HttpTransportType _type;
    private readonly TransferFormat _format;
    private readonly Pipe _incoming = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _outgoing = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly CancellationTokenSource _ends = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ClientWebSocket _socket = new();
    private Uri _address = null!;
    private Task _loops = Task.CompletedTask;

    public HubTransport(Uri hub, HttpTransportType type, TransferFormat format) => (_hub, _type, _format) = (hub, type, format);

    public override string ConnectionId { get; set; } = "";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException();
    }

    public PipeReader Input => _incoming.Reader;

    public PipeWriter Output => _outgoing.Writer;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var negotiated = await _http.PostAsync(new Uri($"{_hub}/negotiate?negotiateVersion=1"), null, cancellationToken);
        using var answer = JsonDocument.Parse(await negotiated.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken));
        ConnectionId = answer.RootElement.GetProperty("connectionId").GetString()!;
        _address = new Uri($"{_hub}?id={answer.RootElement.GetProperty("connectionToken").GetString()}");
        _loops = _type switch
        {
            HttpTransportType.WebSockets => await StartSocketAsync(cancellationToken),
            HttpTransportType.ServerSentEvents => await StartEventsAsync(cancellationToken),
            HttpTransportType.LongPolling => await StartPollingAsync(cancellationToken),
            _ => throw new InvalidOperationException($"{_type} is no transport."),
        };
    }

    /// <summary>Breaks the connection without a word, as a lost network does.</summary>
    public void Drop()
    {
        _socket.Abort();
        _ends.Cancel();
    }

    // A good end: what was written has been sent first.
    public override async ValueTask DisposeAsync()
    {
        await _outgoing.Writer.CompleteAsync();
        await _loops.WaitAsync(ClientProcess.Patience);
        await _incoming.Reader.CompleteAsync();
        _socket.Dispose();
        _http.Dispose();
        _ends.Dispose();
        await base.DisposeAsync();
    }

    private async Task<Task> StartSocketAsync(CancellationToken cancellationToken)
    {
        await _socket.ConnectAsync(new UriBuilder(_address) { Scheme = "ws" }.Uri, cancellationToken);
        var type = _format == TransferFormat.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
        return Task.WhenAll(
            PumpInAsync(async () =>
            {
                var received = await _socket.ReceiveAsync(_incoming.Writer.GetMemory(), _ends.Token);
                _incoming.Writer.Advance(received.Count);
                return received.MessageType != WebSocketMessageType.Close;
            }),
            PumpOutAsync(bytes => _socket.SendAsync(bytes, type, endOfMessage: true, _ends.Token),
                () => _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", _ends.Token)));
    }

    private async Task<Task> StartEventsAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Accept.ParseAdd("text/event-stream");
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var stream = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken);
        var events = SseParser.Create(stream, (_, data) => data.ToArray()).EnumerateAsync(_ends.Token).GetAsyncEnumerator(_ends.Token);
        return Task.WhenAll(
            PumpInAsync(async () =>
            {
                if (!await events.MoveNextAsync())
                    return false;
                _incoming.Writer.Write(events.Current.Data);
                return true;
            }),
            PumpOutAsync(PostAsync, DeleteAsync));
    }

    // The first poll is answered at once and says that the connection is there.
    private async Task<Task> StartPollingAsync(CancellationToken cancellationToken)
    {
        using var first = await _http.GetAsync(_address, cancellationToken);
        first.EnsureSuccessStatusCode();
        return Task.WhenAll(
            PumpInAsync(async () =>
            {
                using var response = await _http.GetAsync(_address, _ends.Token);
                _incoming.Writer.Write(await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(_ends.Token));
                return response.StatusCode != HttpStatusCode.NoContent;
            }),
            PumpOutAsync(PostAsync, DeleteAsync));
    }

    private async Task PostAsync(ArraySegment<byte> bytes)
    {
        using var content = new ReadOnlyMemoryContent(bytes);
        using var response = await _http.PostAsync(_address, content, _ends.Token);
        response.EnsureSuccessStatusCode();
    }

    private async Task DeleteAsync()
    {
        using var response = await _http.DeleteAsync(_address, _ends.Token);
        // Events end with their request.
        if (_type == HttpTransportType.ServerSentEvents)
            await _ends.CancelAsync();
    }

    private async Task PumpInAsync(Func<Task<bool>> receive)
    {
        Exception? error = null;
        try
        {
            while (await receive() && !(await _incoming.Writer.FlushAsync()).IsCompleted)
            {
            }
        }
        catch (Exception exception)
        {
            error = exception;
        }
        await _incoming.Writer.CompleteAsync(error);
    }

    private async Task PumpOutAsync(Func<ArraySegment<byte>, Task> send, Func<Task> end)
    {
        try
        {
            for (ReadResult read = default; !read.IsCompleted;)
            {
                read = await _outgoing.Reader.ReadAsync(_ends.Token);
                if (!read.Buffer.IsEmpty)
                    await send(read.Buffer.ToArray());
                _outgoing.Reader.AdvanceTo(read.Buffer.End);
            }
            await end();
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or HttpRequestException)
        {
            // The other direction tells the hub connection.
        }
        await _outgoing.Reader.CompleteAsync();
    }

}
