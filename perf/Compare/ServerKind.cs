// The servers as a table: which there are, what starts each, which scenarios it knows, and how to see whether it is installed.
// A server of the app prints its address; the others are told a free port and asked until they answer.

using System.Diagnostics;
using System.Globalization;

namespace Compare;

/// <summary>What a server is started with: the path of App.dll, its own folder with the static files, a port, a protocol.</summary>
internal sealed record Start(string App, string Folder, int Port, string Protocol);

/// <summary>How a server is found and started.</summary>
internal sealed record ServerKind(
    string Name, Func<Scenario, bool> Knows, Func<string?> Version, Func<Start, string[]> Command, bool PrintsAddress)
{
    public static readonly ServerKind[] All =
    [
        OfApp("kestrel"),
        OfApp("kestrel-tuned"),
        OfApp("asgi"),
        new("uvicorn", IsKnownToUvicorn, UvicornVersion, Uvicorn, PrintsAddress: false),
        new("nginx", scenario => scenario.IsStatic, NginxVersion, Nginx, PrintsAddress: false),
        new("floor", scenario => scenario.IsPlain, () => File.Exists(Floor) ? "C, epoll" : null, _ => [Floor], PrintsAddress: true),
    ];

    private const string Python = "/usr/bin/python3"; // the system's, which the distribution's packages are for
    private const string Floor = "obj/floor";

    private static readonly Lazy<bool> HasWebSockets = new(() => Output(Python, "-c", "import websockets") is not null);

    public static ServerKind Named(string name) =>
        All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new FormatException($"{name} is none of {string.Join(", ", All.Select(kind => kind.Name))}.");

    private static ServerKind OfApp(string name) => new(
        name, _ => true, () => Environment.Version.ToString(),
        start => ["dotnet", start.App, "--server", name, "--webroot", start.Folder, "--protocol", start.Protocol], PrintsAddress: true);

    private static string[] Uvicorn(Start start) =>
    [
        Python, "-m", "uvicorn", "--app-dir", "Uvicorn", "--port", start.Port.ToString(CultureInfo.InvariantCulture),
        "--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--no-access-log", "--log-level", "critical", "app:app",
    ];

    // Everything nginx writes is in its folder. Connections stay open for as many requests as the others allow.
    private static string[] Nginx(Start start)
    {
        var (_, folder, port, _) = start;
        string path = Path.Combine(folder, "nginx.conf");
        string user = Environment.UserName == "root" ? "user root;\n" : ""; // the folder is readable by its owner only
        File.WriteAllText(path, user + string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            worker_processes 1;
            pid {{folder}}/nginx.pid;
            error_log stderr error;
            events {
                worker_connections 1024;
            }
            http {
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                server {
                    listen 127.0.0.1:{{port}};
                    root {{folder}};
                }
            }
            """));
        return ["nginx", "-e", "stderr", "-p", folder, "-c", path];
    }

    // It leaves WebSockets to another package.
    private static bool IsKnownToUvicorn(Scenario scenario) =>
        scenario.IsCleartext && !scenario.IsStatic && (!scenario.IsWebSocket || HasWebSockets.Value);

    private static string? UvicornVersion() =>
        Output(Python, "-c", "import uvloop, httptools, uvicorn; print(uvicorn.__version__)");

    private static string? NginxVersion() => Output("nginx", "-v")?.Split('/')[^1];

    private static string? Output(params string[] command)
    {
        try
        {
            var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Trim() : null;
        }
        catch (System.ComponentModel.Win32Exception) // there is no such program
        {
            return null;
        }
    }
}
