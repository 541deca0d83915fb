// `dotnet new mvc`: controllers, views and their files.

using System.Net;

namespace Asgi.Server.Apps.Tests;

public sealed class MvcApp() : TemplateApp("mvc", []);

[Collection(nameof(Builds))]
public sealed class MvcTests(MvcApp app) : IClassFixture<MvcApp>
{
    [Theory]
    [InlineData("/", "<title>Home Page - RealApp</title>")]
    [InlineData("/Home/Privacy", "<h1>Privacy Policy</h1>")]
    [InlineData("/Home/Error", "An error occurred while processing your request")]
    public async Task A_view_is_shown(string path, string content)
    {
        using var response = await app.Client.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
        Assert.Contains(content, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/Home/Nothing")]
    [InlineData("/Nobody")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        using var response = await app.Client.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Its_files_are_whole_cached_compressed_and_in_parts() =>
        Assert.Equal(6, await StaticFiles.CheckAsync(app.Client, "/"));
}
