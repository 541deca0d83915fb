// What is measured, as a table: a name to ask for, the route, the client's connections, and the arguments of the load: of wrk.lua with wrk,
// of the program itself with others.

namespace Compare;

internal sealed record Scenario(string Name, string Target, int Connections, string[] Arguments)
{
    public static readonly Scenario[] All =
    [
        new("plaintext", "/plaintext", 64, []) { Goal = 2.2, Says = "13 octets, 64 connections" },
        new("plaintext-512", "/plaintext", 512, []) { Goal = 2.0, Says = "13 octets, 512 connections" },
        new("pipelined", "/plaintext", 64, ["pipeline=16"]) { Goal = 2.5, Says = "16 requests in a write" },
        new("json", "/json", 64, []) { Goal = 2.0, Says = "minimal API" },
        new("async", "/async", 64, []) { Goal = 1.8, WarmUp = Long, Says = "Task.Yield, then answers" },
        new("delay", "/delay", 256, []) { Goal = 2.5, WarmUp = Long, Says = "Task.Delay(1), 256 connections" },
        new("close", "/plaintext", 64, ["close=1"]) { Goal = 1.5, WarmUp = Long, Says = "a connection per request" },
        // 63 and 10 share no factor, so that in turn each connection closes
        new("ten", "/plaintext", 63, ["close=10"]) { Goal = 1.7, WarmUp = Long, Says = "10 requests per connection" },
        new("upload", "/upload", 16, [$"body={1 << 20}"]) { Goal = 2.0, Says = "1 MiB in, PipeReader" },
        new("bytes", $"/bytes?n={1 << 20}", 16, []) { Goal = 2.0, Says = "1 MiB out, from memory" },
        new("static-1k", "/static/1k.bin", 64, []) { Goal = 1.6, Says = "a file of 1 KiB" },
        new("static-64k", "/static/64k.bin", 64, []) { Goal = 2.0, Says = "a file of 64 KiB" },
        new("static-4m", "/static/4m.bin", 16, []) { Goal = 3.0, Says = "a file of 4 MiB" },
        new("echo", "/echo", 64, []) { Goal = 2.0, Generator = Generator.Echo, Says = "WebSocket, 64 octets" },
        new("tls", "/plaintext", 64, []) { Goal = 1.6, Protocol = "https", Says = "HTTP/1.1, 64 connections" },
        new("tls-close", "/plaintext", 32, ["full"])
        {
            Goal = 1.15, Protocol = "https", Generator = Generator.Handshake, WarmUp = Long, Says = "a full handshake per request",
        },
        new("tls-resumed", "/plaintext", 32, ["resumed"])
        {
            Goal = 2.0, Protocol = "https", Generator = Generator.Handshake, WarmUp = Long, Says = "a resumed session per request",
        },
        OverHttp2("h2", "/plaintext") with { Goal = 2.0, Says = "HTTP/2, 8 x 32 streams" },
        OverHttp2("h2-tls", "/plaintext") with { Goal = 2.0, Protocol = "https", Says = "HTTP/2 over TLS, 8 x 32 streams" },
        OverHttp2("h2-json", "/json") with { Says = "HTTP/2, minimal API" },
        OverHttp2("h2-64k", "/bytes?n=65536") with { Says = "HTTP/2, 64 KiB out" },
        OverHttp2("h2-grpc", "/grpc") with
        {
            Arguments = ["-d", Generator.GrpcMessage, "-H", "content-type: application/grpc", "-H", "te: trailers"],
            Says = "a unary call of 64 octets",
        },
    ];

    private const int Long = 12; // continuations pass through more code before it is compiled for good

    /// <summary>How many times Kestrel's rate, as shipped, Asgi.Server is to reach at least; 0 is no target.</summary>
    public double Goal { get; init; }

    /// <summary>What is sent and answered, for the chart.</summary>
    public string Says { get; init; } = "";

    /// <summary>Seconds of load before the first measurement, unless the command line says otherwise: tiered compilation settles.</summary>
    public int WarmUp { get; init; } = 6;

    /// <summary>As the app's --protocol: http1, h2c or https.</summary>
    public string Protocol { get; init; } = "http1";

    /// <summary>What makes the load.</summary>
    public Generator Generator { get; init; } = Generator.Wrk;

    public bool IsCleartext => Protocol == "http1";

    public bool IsWebSocket => Generator == Generator.Echo;

    public bool IsStatic => Target.StartsWith("/static/", StringComparison.Ordinal);

    /// <summary>A fixed response to each head is right, and connections stay open.</summary>
    public bool IsPlain => IsCleartext && Target == "/plaintext"
        && !Arguments.Any(argument => argument.StartsWith("close", StringComparison.Ordinal));

    private static Scenario OverHttp2(string name, string target) =>
        new(name, target, 8, []) { Protocol = "h2c", Generator = Generator.H2load, WarmUp = Long };
}
