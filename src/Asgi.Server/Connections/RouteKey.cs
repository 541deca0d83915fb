// What counts as one route before the application has said its name for it. Loop threads.
namespace Asgi.Server.Connections;

/// <summary>A number for a method and path: the same for paths that differ in segments with digits, as identifiers have.</summary>
internal static class RouteKey
{
    // FNV-1a, 64 bits. Two routes of one number share what is learned of them, which does no harm.
    private const ulong Basis = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static ulong Of(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path)
    {
        var key = Add(Basis, method);
        while (!path.IsEmpty)
        {
            var end = path[1..].IndexOf((byte)'/') is var slash and >= 0 ? slash + 1 : path.Length;
            var segment = path[..end];
            key = segment.ContainsAnyInRange((byte)'0', (byte)'9') ? Add(key, "/#"u8) : Add(key, segment);
            path = path[end..];
        }

        return key;
    }

    private static ulong Add(ulong key, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            key = (key ^ value) * Prime;
        }

        return key;
    }
}
