// `dotnet new webapp`: pages, their files, and a form with a file, which the template lacks and most apps have.

using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Asgi.Server.Apps.Tests;

public sealed class RazorPagesApp() : TemplateApp("webapp", [])
{
    private const string Letter = """
        @page
        @using System.Security.Cryptography
        @functions {
            public string? Said;
            public async Task OnPostAsync(string text, IFormFile enclosure)
            {
                using var content = enclosure.OpenReadStream();
                var hash = Convert.ToHexString(await SHA256.HashDataAsync(content));
                Said = $"{text}, and {enclosure.FileName} of {enclosure.Length}: {hash}";
            }
        }
        <form method="post" enctype="multipart/form-data">
            <input name="text" /><input name="enclosure" type="file" /><button>Send</button>
        </form>
        <p>@Said</p>
        """;

    protected override Task ChangeAsync() => File.WriteAllTextAsync(Path.Combine(Folder, "Pages/Letter.cshtml"), Letter);
}

[Collection(nameof(Builds))]
public sealed partial class RazorPagesTests(RazorPagesApp app) : IClassFixture<RazorPagesApp>
{
    [Theory]
    [InlineData("/", "<title>Home page - RealApp</title>")]
    [InlineData("/Privacy", "<h1>Privacy Policy</h1>")]
    [InlineData("/Error", "An error occurred while processing your request")]
    public async Task A_page_is_shown(string path, string content)
    {
        using var response = await app.Client.GetAsync(Relative(path));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
        Assert.Contains(content, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        using var response = await app.Client.GetAsync(Relative("/Nowhere"));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Its_files_are_whole_cached_compressed_and_in_parts() =>
        Assert.Equal(6, await StaticFiles.CheckAsync(app.Client, "/"));

    [Theory]
    [InlineData(0)]
    [InlineData(2_000_000)]
    public async Task A_form_with_a_file_is_posted(int size)
    {
        var enclosure = RandomNumberGenerator.GetBytes(size);
        var form = await app.Client.GetStringAsync(Relative("/Letter"));

        using var response = await PostAsync(Token().Match(form).Groups[1].Value, enclosure);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(
            $"<p>Hello, and picture.png of {size}: {Convert.ToHexString(SHA256.HashData(enclosure))}</p>",
            await response.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_forged_by_another_site_is_refused()
    {
        await app.Client.GetStringAsync(Relative("/Letter"));

        using var response = await PostAsync("forged", []);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private async Task<HttpResponseMessage> PostAsync(string token, byte[] enclosure)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(token), "__RequestVerificationToken" },
            { new StringContent("Hello"), "text" },
            { new ByteArrayContent(enclosure), "enclosure", "picture.png" },
        };
        return await app.Client.PostAsync(Relative("/Letter"), form);
    }

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    [GeneratedRegex(@"name=""__RequestVerificationToken"" type=""hidden"" value=""([^""]+)""")]
    private static partial Regex Token();
}
