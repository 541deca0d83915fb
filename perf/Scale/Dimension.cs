// What grows, as a table: the values to try, what wrk sends at each, and in which unit the growth of the cost is told.

namespace Scale;

/// <param name="Name">What it is asked for by.</param>
/// <param name="Head">The head of the column of its values.</param>
/// <param name="Values">What to try, ascending.</param>
/// <param name="TrafficOf">What wrk sends at a value.</param>
/// <param name="UnitsOf">A value on the scale on which cost may grow by a straight line.</param>
/// <param name="RequestsOf">How many requests the cost is of that is looked at.</param>
/// <param name="Unit">What the cost of one more unit is called.</param>
internal sealed record Dimension(
    string Name, string Head, int[] Values, Func<int, Traffic> TrafficOf, Func<int, double> UnitsOf, Func<int, int> RequestsOf, string Unit)
{
    /// <summary>A dimension of the server, not of what it is sent: measured by <see cref="Scale.Loops"/>.</summary>
    public const string Loops = "loops";

    public const string Connections = "connections";

    // Host is one more; both servers take 100 by default.
    private const int FieldsMax = 99;

    private static readonly int[] Sizes = [0, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

    // Where the cost is of several requests, it is of one on each connection, and of all in a write.
    public static readonly Dimension[] All =
    [
        new(Connections, "connections", [1, 8, 64, 512, 4096, 10_000], n => new("/plaintext", n), n => n, n => n,
            "per connection more"),
        new("pipelining", "requests in a write", [1, 4, 16, 64], n => new("/plaintext", 64, $"pipeline={n}"), n => n, n => n,
            "per request more in a write"),
        new("fields", "further fields", [0, 5, 20, 50, FieldsMax], n => new("/plaintext", 64, $"fields={n}"), n => n, _ => 1, "per field"),
        new("request", "octets of request content", Sizes, n => new("/upload", 16, $"body={n}"), n => n / 1024.0, _ => 1, "per KiB"),
        new("response", "octets of response content", Sizes, n => new($"/bytes?n={n}", 16), n => n / 1024.0, _ => 1, "per KiB"),
        new(Loops, "", [], _ => new("", 0), n => n, _ => 1, ""),
    ];
}
