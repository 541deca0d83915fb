// A headless Chromium, driven by the Chrome DevTools Protocol over one web socket. A class fixture: started with the first page. Its
// receive loop runs on the thread pool and hands answers to those who wait and events to their page.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Asgi.Server.Apps.Tests;

public sealed class Chromium : IAsyncLifetime
{
    private const string Listening = "DevTools listening on ";

    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

    private readonly TemporaryFolder _profile = new();
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _ends = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _calls = new();
    private readonly ConcurrentDictionary<string, BrowserPage> _pages = new();
    private readonly SemaphoreSlim _sends = new(1);
    private Process? _process;
    private Task _receives = Task.CompletedTask;
    private int _lastCall;

    internal static string? ReasonToSkip { get; } = Names.Any(IsInstalled) ? null : "chromium-headless-shell is not installed.";

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        try
        {
            if (_process is not null)
                await EndAsync(_process);
        }
        finally
        {
            await _ends.CancelAsync();
            await _receives;
            _socket.Dispose();
            _ends.Dispose();
            _sends.Dispose();
            _profile.Dispose();
        }
    }

    /// <summary>Opens an address in a window of its own, and waits until it is loaded.</summary>
    internal async Task<BrowserPage> OpenAsync(Uri address)
    {
        if (_process is null)
            await StartAsync();
        var target = await CallAsync(null, "Target.createTarget", new() { ["url"] = "about:blank" });
        var attached = await CallAsync(null, "Target.attachToTarget", new()
        {
            ["targetId"] = (string)target["targetId"]!,
            ["flatten"] = true,
        });
        var session = (string)attached["sessionId"]!;
        var page = _pages[session] = new BrowserPage(this, session);
        await page.StartAsync(address);
        return page;
    }

    internal async Task<JsonNode> CallAsync(string? session, string method, JsonObject? parameters = null)
    {
        var id = Interlocked.Increment(ref _lastCall);
        var answer = _calls[id] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (session is not null)
            message["sessionId"] = session;
        await _sends.WaitAsync();
        try
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(message);
            await _socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sends.Release();
        }
        return await answer.Task.WaitAsync(ClientProcess.Patience);
    }

    private static bool IsInstalled(string name) => Programs.ReasonToSkip(name) is null;

    // As root it has no sandbox; without the flags of the network it would look for its maker's servers. It trusts any certificate:
    // that of a test is of no authority it knows.
    private async Task StartAsync()
    {
        var listens = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(new ProcessStartInfo(Names.First(IsInstalled),
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--ignore-certificate-errors",
            "--remote-debugging-port=0", $"--user-data-dir={_profile.Path}", "about:blank",
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith(Listening, StringComparison.Ordinal) == true)
                listens.TrySetResult(new Uri(line.Data[Listening.Length..]));
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await _socket.ConnectAsync(await listens.Task.WaitAsync(ClientProcess.Patience), CancellationToken.None);
        _receives = ReceiveAsync();
    }

    // Asked to, it ends its own children first: none is left to write to the folder that is about to go.
    private async Task EndAsync(Process process)
    {
        try
        {
            await CallAsync(null, "Browser.close");
            await process.WaitForExitAsync().WaitAsync(ClientProcess.Patience);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveAsync(buffer.AsMemory(), _ends.Token);
                if (received.MessageType == WebSocketMessageType.Close)
                    return;
                message.Write(buffer, 0, received.Count);
                if (!received.EndOfMessage)
                    continue;
                Take(JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!);
                message.SetLength(0);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            foreach (var call in _calls.Values)
                call.TrySetException(new InvalidOperationException("The browser has gone.", exception));
        }
    }

    private void Take(JsonNode message)
    {
        if (message["id"] is null)
        {
            if (message["sessionId"] is { } session && _pages.TryGetValue((string)session!, out var page))
                page.Take((string)message["method"]!, message["params"]!);
        }
        else if (_calls.TryRemove((int)message["id"]!, out var call))
        {
            if (message["error"] is { } error)
                call.SetException(new InvalidOperationException(error.ToJsonString()));
            else
                call.SetResult(message["result"]!);
        }
    }
}
