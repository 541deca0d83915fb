// `dotnet new webapi --no-openapi`: JSON. With OpenAPI the app would need a package of its own when it is built.

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Asgi.Server.Apps.Tests;

public sealed class WebApiApp() : TemplateApp("webapi", ["--no-openapi"]);

[Collection(nameof(Builds))]
public sealed class WebApiTests(WebApiApp app) : IClassFixture<WebApiApp>
{
    [Fact]
    public async Task A_forecast_has_five_days()
    {
        using var response = await app.Client.GetAsync(new Uri("/weatherforecast", UriKind.Relative));
        var days = await response.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Asgi.Server", response.Headers.Server.ToString());
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(5, days.GetArrayLength());
        Assert.All(days.EnumerateArray(), day => Assert.InRange(day.GetProperty("temperatureC").GetInt32(), -20, 54));
    }

    [Fact]
    public async Task Another_method_is_not_allowed()
    {
        using var response = await app.Client.PostAsJsonAsync(new Uri("/weatherforecast", UriKind.Relative), 1);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET"], response.Content.Headers.Allow);
    }
}
