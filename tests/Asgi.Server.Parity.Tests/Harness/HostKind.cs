// The servers a parity test runs on. Named by every theory, so that a failure names its host.

namespace Asgi.Server.Parity.Tests;

public enum HostKind
{
    /// <summary>Microsoft.AspNetCore.TestHost: no wire at all, what ASP.NET Core itself does.</summary>
    TestHost,

    Kestrel,

    Asgi,
}

/// <summary>The rows of a theory.</summary>
public static class Hosts
{
    /// <summary>How long a test waits for what must happen; far above what it takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<HostKind> Enabled { get; } = [HostKind.TestHost, HostKind.Kestrel, HostKind.Asgi];

    public static IEnumerable<HostKind> WithSockets => Enabled.Where(host => host != HostKind.TestHost);

    /// <summary>Every host, for what an <see cref="HttpClient"/> can see.</summary>
    public static TheoryData<HostKind> All => [.. Enabled];

    /// <summary>Those with sockets, for what only the wire shows.</summary>
    public static TheoryData<HostKind> Sockets => [.. WithSockets];

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
