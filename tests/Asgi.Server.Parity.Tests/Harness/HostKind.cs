// The servers a parity test runs on. Named by every theory, so that a failure names its host.

namespace Asgi.Server.Parity.Tests;

public enum HostKind
{
    /// <summary>Microsoft.AspNetCore.TestHost: no wire at all, what ASP.NET Core itself does.</summary>
    TestHost,

    Kestrel,

    Asgi,

    /// <summary>Kestrel over HTTP/2 without TLS.</summary>
    KestrelHttp2,

    /// <summary>Asgi.Server over HTTP/2 without TLS.</summary>
    AsgiHttp2,
}

/// <summary>The rows of a theory.</summary>
public static class Hosts
{
    /// <summary>How long a test waits for what must happen; far above what it takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<HostKind> Enabled { get; } =
        [HostKind.TestHost, HostKind.Kestrel, HostKind.Asgi, HostKind.KestrelHttp2, HostKind.AsgiHttp2];

    public static IEnumerable<HostKind> WithSockets => WithHttp.Where(host => !host.IsHttp2());

    public static IEnumerable<HostKind> WithHttp => Enabled.Where(host => host != HostKind.TestHost);

    /// <summary>Every host, for what an <see cref="HttpClient"/> can see.</summary>
    public static TheoryData<HostKind> All => [.. Enabled];

    /// <summary>Those with sockets, for what only the wire shows.</summary>
    public static TheoryData<HostKind> Sockets => [.. WithSockets];

    /// <summary>Those with sockets in both versions, for a request of HTTP/1.1 that HTTP/2 can say too.</summary>
    public static TheoryData<HostKind> Http => [.. WithHttp];

    /// <summary>Those of HTTP/2.</summary>
    public static TheoryData<HostKind> Http2 => [.. WithHttp.Where(IsHttp2)];

    public static bool IsHttp2(this HostKind host) => host is HostKind.KestrelHttp2 or HostKind.AsgiHttp2;

    /// <summary>
    /// RawExchange.Outcome as this host has it: a server of HTTP/2 ends a stream where one of HTTP/1.1 closes its connection.
    /// </summary>
    public static string Outcome(this HostKind host, string outcome) =>
        host.IsHttp2() ? outcome.Replace("closed", "open", StringComparison.Ordinal) : outcome;

    /// <summary>RawResponse.Framing as this host has it: HTTP/2 has frames of its own in place of chunks.</summary>
    public static string Framing(this HostKind host, string framing) => host.IsHttp2() && framing == "chunked" ? "none" : framing;

    /// <summary>Each row of a table on each host with sockets in both versions.</summary>
    public static TheoryData<HostKind, T> HttpTimes<T>(IEnumerable<T> rows)
    {
        var data = new TheoryData<HostKind, T>();
        foreach (var row in rows)
            foreach (var host in WithHttp)
                data.Add(host, row);
        return data;
    }

    /// <summary>Each row of a table on each host with sockets in both versions.</summary>
    public static TheoryData<HostKind, T1, T2> HttpTimes<T1, T2>(IEnumerable<(T1, T2)> rows)
    {
        var data = new TheoryData<HostKind, T1, T2>();
        foreach (var (first, second) in rows)
            foreach (var host in WithHttp)
                data.Add(host, first, second);
        return data;
    }

    /// <summary>Each row of a table on each host with sockets.</summary>
    public static TheoryData<HostKind, T> SocketsTimes<T>(IEnumerable<T> rows)
    {
        var data = new TheoryData<HostKind, T>();
        foreach (var row in rows)
            foreach (var host in WithSockets)
                data.Add(host, row);
        return data;
    }

    /// <summary>Each row of a table on each host with sockets.</summary>
    public static TheoryData<HostKind, T1, T2> SocketsTimes<T1, T2>(IEnumerable<(T1, T2)> rows)
    {
        var data = new TheoryData<HostKind, T1, T2>();
        foreach (var (first, second) in rows)
            foreach (var host in WithSockets)
                data.Add(host, first, second);
        return data;
    }
}
