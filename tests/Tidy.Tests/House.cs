// The rooms of the house and what each may name: the table that Layers holds the code to. A room is a folder of src; a file
// belongs to the deepest room above it. A new folder of the product needs a line here, which is the moment to ask where it stands.

namespace Tidy.Tests;

/// <summary>A word no file of a room may use, and what to do instead.</summary>
internal sealed record Closed(string Pattern, string What, string Mend);

/// <summary>A folder, the namespaces its files may declare, the rooms of its own project it may name, and what is closed to it.</summary>
internal sealed record Room(string Folder, string[] Namespaces, string[] MayName, Closed[] Closed);

internal static class House
{
    public const string Product = "src/Asgi.Server";

    private const string Protocols = "src/Asgi.Server.Protocols";
    private const string Loops = "src/Asgi.Server.Loops";

    // Microsoft.Win32 (SafeHandles) is the base library for all its name.
    private static readonly Closed AspNet = new(
        @"(?<![\w.])Microsoft\.(?!Win32\b)", "names Microsoft.*",
        "this side of the waist knows no ASP.NET and no logger: pass a plain value, or an interface of its own");

    private static readonly Closed Sockets = new(
        @"\bSystem\.Net\.Sockets\b", "names System.Net.Sockets",
        "bytes come in as spans and messages; sockets belong to Loops and Connections");

    private static readonly Closed LoopsBelow = new(
        @"\bAsgi\.Server\.Loops\b", "names Asgi.Server.Loops",
        "the loops are known from Connections up, never at the waist or in a protocol");

    private static readonly Closed ProtocolsBeside = new(
        @"\bAsgi\.Server\.Protocols\b", "names Asgi.Server.Protocols",
        "Loops and Protocols are siblings: Connections joins them");

    private static readonly Closed Features = new(
        @"\bIFeatureCollection\b", "names IFeatureCollection",
        "only Application speaks ASP.NET's features (Hosting may pass the collection on)");

    private static readonly Closed Asynchrony = new(
        @"\bSystem\.Threading\.Tasks\b|\bawait\b|\b(Value)?Task\b(?=[<.]|\??\s+[A-Za-z_@])|\bCancellationToken\b", "uses Task",
        "a protocol is a machine over bytes: answer NeedData and let the driver wait");

    // A private static function that fills a table at the start is not the machine's.
    private static readonly Closed Delegates = new(
        @"^(?!.*\bprivate static \w).*(\bdelegate\b|\b(Action|Func)\b(?=<|\??\s+[A-Za-z_@]))", "uses a delegate",
        "a protocol answers an event; the driver decides what to call");

    private static readonly Closed Clocks = new(
        @"\bTimeProvider\b|\bStopwatch\b|\bEnvironment\.TickCount", "reads a clock", "time is an argument of the machine");

    private static readonly string[] Below = ["Asgi", "Diagnostics", "Connections", "Application"]; // Hosting and Workers

    private static readonly Closed[] OfProtocols = [AspNet, Sockets, LoopsBelow, Asynchrony, Delegates, Clocks];
    private static readonly Closed[] OfLoops = [AspNet, ProtocolsBeside];

    public static readonly Room[] Rooms =
    [
        Machine(""),
        Machine("/Http", ""),
        Machine("/Http1", "", "/Http"),
        Machine("/Http2", "", "/Http"),
        Machine("/WebSocket", "", "/Http"),
        Machine("/ProxyProtocol", ""),
        new(Loops, ["Asgi.Server.Loops"], [$"{Loops}/Buffers", $"{Loops}/Interop"], OfLoops),
        new($"{Loops}/Buffers", ["Asgi.Server.Loops.Buffers"], [$"{Loops}/Interop"], OfLoops),
        new($"{Loops}/Interop", ["Asgi.Server.Loops.Interop"], [], OfLoops),
        new($"{Product}/Asgi", ["Asgi"], Named("Diagnostics"), [AspNet, Sockets, LoopsBelow, Features]),
        new($"{Product}/Diagnostics", ["Asgi.Server.Diagnostics"], [], [Features]),
        new($"{Product}/Connections", ["Asgi.Server.Connections"], Named("Asgi", "Diagnostics"), [Features]),
        new($"{Product}/Application", ["Asgi.Server.Application", "Asgi.Server.Features"], Named("Asgi", "Diagnostics"), []),
        new($"{Product}/Hosting", ["Asgi.Server", "Asgi.Server.Hosting", "Microsoft"], Named([.. Below, "Workers"]), []),
        new($"{Product}/Workers", ["Asgi.Server.Workers"], Named([.. Below, "Hosting"]), [Features]),
    ];

    public static Room? Of(SourceFile file) =>
        Rooms.Where(room => file.IsUnder(room.Folder)).MaxBy(room => room.Folder.Length);

    private static string[] Named(params string[] folders) => [.. folders.Select(folder => $"{Product}/{folder}")];

    private static Room Machine(string folder, params string[] mayName) => new(
        Protocols + folder,
        ["Asgi.Server.Protocols" + folder.Replace('/', '.')],
        [.. mayName.Select(name => Protocols + name)],
        OfProtocols);
}
