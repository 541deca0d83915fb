// One page in Chromium: what it asked for, what went wrong on it, and a hand on its mouse. Events come from Chromium's receive loop.

using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Asgi.Server.Apps.Tests;

internal sealed class BrowserPage(Chromium browser, string session)
{
    // Marks the buttons the server rendered, before any script of the page can replace them.
    private const string Mark =
        "addEventListener('DOMContentLoaded', () => document.querySelectorAll('button').forEach(button => button.dataset.first = ''))";

    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<(string Path, int Status)> _responses = new();
    private readonly ConcurrentDictionary<string, string> _requests = new();
    private readonly ConcurrentQueue<string> _errors = new();

    /// <summary>The path of each response and its status, in the order of their heads; 101 for a web socket.</summary>
    public IReadOnlyCollection<(string Path, int Status)> Responses => _responses;

    /// <summary>No error on the console, no exception nobody caught, no request that failed or was refused.</summary>
    public void AssertNothingWentWrong()
    {
        Assert.True(_errors.IsEmpty, string.Join('\n', _errors));
        Assert.DoesNotContain(_responses, response => response.Status >= 400);
    }

    public async Task StartAsync(Uri address)
    {
        foreach (var domain in new[] { "Page", "Runtime", "Network", "Log" })
            await browser.CallAsync(session, $"{domain}.enable");
        await browser.CallAsync(session, "Page.addScriptToEvaluateOnNewDocument", new() { ["source"] = Mark });
        await browser.CallAsync(session, "Page.navigate", new() { ["url"] = address.AbsoluteUri });
        await _loaded.Task.WaitAsync(ClientProcess.Patience);
    }

    /// <summary>The value of an expression; of a promise, what it resolves to.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var answer = await browser.CallAsync(session, "Runtime.evaluate", new()
        {
            ["expression"] = expression,
            ["awaitPromise"] = true,
            ["returnByValue"] = true,
        });
        if (answer["exceptionDetails"] is { } exception)
            throw new InvalidOperationException(exception.ToJsonString());
        return answer["result"]!["value"];
    }

    /// <summary>Waits until an expression is true; it is looked at again after each change of the document.</summary>
    public Task SeeAsync(string expression) => EvaluateAsync($$"""
        new Promise(resolve => {
            const look = () => {
                if (!({{expression}})) return;
                observer.disconnect();
                resolve(true);
            };
            const observer = new MutationObserver(look);
            observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
            look();
        })
        """);

    /// <summary>Presses and releases the mouse in the middle of an element.</summary>
    public async Task ClickAsync(string selector)
    {
        var middle = (await EvaluateAsync($$"""
            (() => {
                const element = document.querySelector('{{selector}}');
                element.scrollIntoView({ block: 'center', behavior: 'instant' });
                const box = element.getBoundingClientRect();
                return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
            })()
            """))!;
        foreach (var type in new[] { "mousePressed", "mouseReleased" })
        {
            await browser.CallAsync(session, "Input.dispatchMouseEvent", new()
            {
                ["type"] = type,
                ["x"] = (double)middle["x"]!,
                ["y"] = (double)middle["y"]!,
                ["button"] = "left",
                ["clickCount"] = 1,
            });
        }
    }

    public void Take(string method, JsonNode what)
    {
        switch (method)
        {
            case "Page.loadEventFired":
                _loaded.TrySetResult();
                break;
            case "Network.requestWillBeSent":
                _requests[(string)what["requestId"]!] = (string)what["request"]!["url"]!;
                break;
            case "Network.responseReceived":
                var response = what["response"]!;
                if (new Uri((string)response["url"]!) is { Scheme: "http" or "https" } url)
                    _responses.Enqueue((url.PathAndQuery, (int)response["status"]!));
                break;
            case "Network.webSocketHandshakeResponseReceived":
                _responses.Enqueue(("web socket", (int)what["response"]!["status"]!));
                break;
            // What the page itself gives up has not failed. Chromium also says so of a stream it may not store, when it has ended well.
            case "Network.loadingFailed" when (bool?)what["canceled"] != true:
                _errors.Enqueue($"{_requests.GetValueOrDefault((string)what["requestId"]!)}: {what["errorText"]}");
                break;
            case "Runtime.exceptionThrown":
            case "Runtime.consoleAPICalled" when (string)what["type"]! is "error" or "assert":
            case "Log.entryAdded" when (string)what["entry"]!["level"]! == "error":
                _errors.Enqueue($"{method}: {what.ToJsonString()}");
                break;
        }
    }
}
