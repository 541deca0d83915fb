// What is measured, as a table: a name to ask for, the route, the client's connections, and the arguments of wrk.lua.

namespace Compare;

internal sealed record Scenario(string Name, string Target, int Connections, string[] Arguments)
{
    public static readonly Scenario[] All =
    [
        new("plaintext", "/plaintext", 64, []),
        new("pipelined", "/plaintext", 64, ["pipeline=16"]),
        new("json", "/json", 64, []),
        new("async", "/async", 64, []),
        new("close", "/plaintext", 64, ["close=1"]),
        new("ten", "/plaintext", 63, ["close=10"]), // 63 and 10 share no factor, so that in turn each connection closes
        new("upload", "/upload", 16, [$"body={1 << 20}"]),
        new("bytes", $"/bytes?n={1 << 20}", 16, []),
    ];
}
