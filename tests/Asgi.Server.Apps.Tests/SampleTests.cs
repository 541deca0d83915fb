// The sample's page in a browser: it loads, each of its buttons works, and nothing is said on the console.

namespace Asgi.Server.Apps.Tests;

public sealed class SampleTests(Chromium browser) : IClassFixture<Chromium>
{
    // What a button asks for, and how what it shows starts and ends.
    private static readonly (string Path, string Starts, string Ends)[] Buttons =
    [
        ("/plaintext", "200 OK", "Hello, World!"),
        ("/json", "200 OK", "{\"message\":\"Hello, World!\"}"),
        ("/async", "200 OK", "Hello from another thread"),
        ("/delay?milliseconds=500", "200 OK", "Waited 500 ms"),
        ("/stream", "200 OK", "line 10 of 10"),
        ("/events", "200 OK", "id: 5"),
        ("/hints", "200 OK", "The hint came first"),
        ("/trailers", "200 OK", "line 10 of 10"),
        ("/numbers.txt", "206 Partial Content", "line 005"),
        ("/echo", "200 OK", "Hello from the page"),
        ("/upload", "200 OK", "}"),
    ];

    [BrowserFact]
    public async Task Its_page_and_all_its_buttons_work()
    {
        await using var sample = await AppProcess.StartAsync(typeof(Program).Assembly.Location, Repository.Sample);
        var page = await browser.OpenAsync(sample.Address);
        Assert.Equal("It works.", (string?)await page.EvaluateAsync("document.querySelector('h1').textContent"));
        Assert.Equal(Buttons.Length, (int?)await page.EvaluateAsync("document.querySelectorAll('button').length"));

        foreach (var (path, starts, ends) in Buttons)
        {
            await page.ClickAsync($"button[data-path=\"{path}\"]");
            await page.SeeAsync($"(text => text.startsWith('{starts}') && text.trimEnd().endsWith('{ends}'))(out.textContent)");
        }

        Assert.Equal(["/", .. Buttons.Select(button => button.Path)], page.Responses.Select(response => response.Path));
        page.AssertNothingWentWrong();
    }
}
