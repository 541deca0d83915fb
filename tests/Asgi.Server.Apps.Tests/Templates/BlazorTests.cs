// `dotnet new blazor --interactivity Server` in a browser: the counter is clicked with a mouse, and counts on the server.

namespace Asgi.Server.Apps.Tests;

public sealed class BlazorApp() : TemplateApp("blazor", ["--interactivity", "Server"])
{
    protected override async Task ChangeAsync()
    {
        // The script comes from elsewhere: no package for it.
        await ChangeProjectAsync("<PropertyGroup><RequiresAspNetWebAssets>false</RequiresAspNetWebAssets></PropertyGroup>");
        if (BlazorScript.ReasonToSkip is null)
            await BlazorScript.WriteAsync(Path.Combine(Folder, "wwwroot"));
    }
}

[Collection(nameof(Builds))]
public sealed class BlazorTests(BlazorApp app, Chromium browser) : IClassFixture<BlazorApp>, IClassFixture<Chromium>
{
    [BlazorFact]
    public async Task Its_files_are_whole_cached_compressed_and_in_parts() =>
        Assert.Equal(5, await StaticFiles.CheckAsync(app.Client, "/"));

    [Fact]
    public async Task A_page_that_is_streamed_comes_whole()
    {
        var html = await app.Client.GetStringAsync(new Uri("/weather", UriKind.Relative));

        Assert.Contains("Loading...", html, StringComparison.Ordinal);
        Assert.Equal(5 + 1, html.Split("<tr>").Length - 1);
        Assert.Contains("</tbody></table></template><blazor-ssr-end></blazor-ssr-end></blazor-ssr>", html, StringComparison.Ordinal);
    }

    [BlazorBrowserFact]
    public async Task The_counter_counts_clicks_over_a_web_socket()
    {
        var page = await browser.OpenAsync(new Uri(app.Address, "/counter"));
        // The circuit replaces what was rendered before it.
        await page.SeeAsync("document.querySelector('button.btn-primary:not([data-first])')");
        await page.SeeAsync("document.querySelector('p[role=status]').textContent === 'Current count: 0'");

        for (var count = 1; count <= 5; count++)
        {
            await page.ClickAsync("button.btn-primary");
            await page.SeeAsync($"document.querySelector('p[role=status]').textContent === 'Current count: {count}'");
        }

        Assert.Contains(("web socket", 101), page.Responses);
        page.AssertNothingWentWrong();
    }

    [BlazorBrowserFact]
    public async Task Links_lead_from_page_to_page()
    {
        var page = await browser.OpenAsync(app.Address);

        await page.ClickAsync("a[href=weather]");
        await page.SeeAsync("document.querySelectorAll('tbody tr').length === 5");
        await page.ClickAsync("a[href=counter]");
        await page.SeeAsync("document.querySelector('p[role=status]')");

        page.AssertNothingWentWrong();
    }
}
