// What a browser with Blazor's script does, without the browser: loads the page, starts the circuit of its component over the hub, takes
// render batches and clicks. The script comes with a package that is not on every feed; the protocol's encoding is the server's own.

using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Clients.Tests;

internal sealed partial class CircuitClient : IAsyncDisposable
{
    // The button is the first element with a handler.
    private const int ClickHandler = 1;

    private readonly Uri _page;
    private readonly HubTransports _transport;
    private readonly HubConnection _hub;
    private readonly Channel<string> _batches = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource<long> _renderer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    private CircuitClient(AppServer server, HttpTransportType type)
    {
        _page = server.Address;
        _transport = new HubTransports(type, TransferFormat.Binary);
        var builder = new HubConnectionBuilder();
        builder.Services.AddSingleton<IConnectionFactory>(_transport);
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(new Uri(_page, "_blazor")));
        builder.Services.AddSingleton(
            server.Application.Services.GetServices<IHubProtocol>().Single(protocol => protocol.Name == "blazorpack"));
        _hub = builder.Build();
        _hub.Closed += _ =>
        {
            _closed.TrySetResult();
            return Task.CompletedTask;
        };
        _hub.On<int, string>("JS.AttachComponent", (_, _) => { });
        _hub.On<string>("JS.Error", error => _batches.Writer.TryComplete(new InvalidOperationException(error)));
        _hub.On<long, byte[]>("JS.RenderBatch", OnRenderBatchAsync);
        _hub.On<long, string, string, int, long, int>("JS.BeginInvokeJS", OnCallAsync);
        _hub.On<string, bool, string>("JS.EndInvokeDotNet", (_, _, _) => { });
    }

    public string Html { get; private set; } = "";

    public string Circuit { get; private set; } = "";

    public Task Closed => _closed.Task.WaitAsync(ClientProcess.Patience);

    /// <summary>Loads the page and starts its circuit.</summary>
    public static async Task<CircuitClient> OpenAsync(AppServer server, HttpTransportType type)
    {
        var client = new CircuitClient(server, type);
        using var http = new HttpClient();
        client.Html = await http.GetStringAsync(client._page);
        await client.ConnectAsync();
        var components = string.Join(',', Component().Matches(client.Html).Select(component => component.Groups[1].Value));
        var page = client._page.AbsoluteUri;
        client.Circuit = await client._hub.InvokeAsync<string>("StartCircuit", page, page, $"[{components}]", "");
        return client;
    }

    public Task ConnectAsync() => _hub.StartAsync().WaitAsync(ClientProcess.Patience);

    public async Task<bool> ReconnectAsync()
    {
        await ConnectAsync();
        return await _hub.InvokeAsync<bool>("ConnectCircuit", Circuit);
    }

    public void Drop() => _transport.Last!.Drop();

    public async Task ClickAsync() => await _hub.SendAsync(
        "BeginInvokeDotNetFromJS", (++_calls).ToString(CultureInfo.InvariantCulture), null, "DispatchEventAsync", await _renderer.Task,
        $$"""[{"eventHandlerId":{{ClickHandler}},"eventName":"click","eventFieldInfo":null},{"type":"click"}]""");

    /// <summary>Waits for a render batch with this text; the strings of a batch are in it as they are.</summary>
    public async Task SeeAsync(string text)
    {
        using var patience = new CancellationTokenSource(ClientProcess.Patience);
        while (!(await _batches.Reader.ReadAsync(patience.Token)).Contains(text, StringComparison.Ordinal))
        {
        }
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    private Task OnRenderBatchAsync(long id, byte[] batch)
    {
        _batches.Writer.TryWrite(Encoding.UTF8.GetString(batch));
        return _hub.SendAsync("OnRenderCompleted", id, null);
    }

    // The first call hands over the object that takes events.
    private Task OnCallAsync(long call, string method, string arguments, int resultType, long target, int callType)
    {
        if (method.EndsWith("attachWebRendererInterop", StringComparison.Ordinal))
            _renderer.TrySetResult(long.Parse(NetObject().Match(arguments).Groups[1].Value, CultureInfo.InvariantCulture));
        return _hub.SendAsync("EndInvokeJSFromDotNet", call, true, $"[{call},true,null]");
    }

    [GeneratedRegex("""<!--Blazor:(\{"type":"server".*?"descriptor".*?\})-->""")]
    private static partial Regex Component();

    [GeneratedRegex("""\{"__dotNetObject":(\d+)\}""")]
    private static partial Regex NetObject();
}
