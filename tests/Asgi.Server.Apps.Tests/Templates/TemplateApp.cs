// What `dotnet new` gives, moved to Asgi.Server by one line, published and started: a class fixture, one per template.

using System.Text.RegularExpressions;

namespace Asgi.Server.Apps.Tests;

public abstract partial class TemplateApp(string template, string[] options) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new TemporaryFolder().WithSdk();
    private AppProcess? _app;

    internal HttpClient Client { get; private set; } = null!;

    internal Uri Address => _app!.Address;

    protected string Folder => _folder["RealApp"];

    public async Task InitializeAsync()
    {
        await Dotnet.RunAsync(_folder.Path, ["new", template, "--name", "RealApp", "--no-restore", "--no-update-check", .. options]);
        await UseAsgiServerAsync();
        await ChangeAsync();
        await Dotnet.RunAsync(Folder, "publish", "-c", "Release", "-o", _folder["published"]);
        _app = await AppProcess.StartAsync(_folder[Path.Combine("published", "RealApp.dll")], _folder["published"]);
        Client = _app.CreateClient();
    }

    public async Task DisposeAsync()
    {
        Client?.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>What a test wants of the app beyond its template.</summary>
    protected virtual Task ChangeAsync() => Task.CompletedTask;

    protected Task ChangeProjectAsync(string items) =>
        EditAsync("RealApp.csproj", text => text.Replace("</Project>", $"{items}</Project>", StringComparison.Ordinal));

    // The line of the README; and a reference to the server as this test was built with it.
    private async Task UseAsgiServerAsync()
    {
        await EditAsync("Program.cs", text => CreateBuilder().Replace(text, "$0\nbuilder.WebHost.UseAsgiServer();", 1));
        var references = Directory.EnumerateFiles(AppContext.BaseDirectory, "Asgi.Server*.dll").Select(Path.GetFileNameWithoutExtension)
            .Where(name => name is "Asgi.Server" or "Asgi.Server.Loops" or "Asgi.Server.Protocols")
            .Select(name => $"<Reference Include=\"{name}\" HintPath=\"{Path.Combine(AppContext.BaseDirectory, name!)}.dll\" />");
        await ChangeProjectAsync($"<ItemGroup>{string.Concat(references)}</ItemGroup>");
    }

    private async Task EditAsync(string file, Func<string, string> edit)
    {
        var path = Path.Combine(Folder, file);
        var before = await File.ReadAllTextAsync(path);
        var after = edit(before);
        Assert.NotEqual(before, after);
        await File.WriteAllTextAsync(path, after);
    }

    [GeneratedRegex(@"^var builder = WebApplication\.CreateBuilder\(args\);", RegexOptions.Multiline)]
    private static partial Regex CreateBuilder();
}
