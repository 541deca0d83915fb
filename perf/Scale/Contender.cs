// Who is measured: a server of the app with the settings it is given.

namespace Scale;

/// <param name="Name">What the tables call it.</param>
/// <param name="Server">What the app calls it.</param>
/// <param name="Arguments">More arguments of the app.</param>
internal sealed record Contender(string Name, string Server, params string[] Arguments)
{
    public static readonly string[] Servers = ["asgi", "kestrel", "kestrel-tuned"];

    public bool IsAsgi => Server == "asgi";
}
