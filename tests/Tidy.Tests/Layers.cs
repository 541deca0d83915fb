// Holds each file of src to its room in the House: it declares the room's namespace, names no room but those it may, and uses
// nothing that is closed to it. A room is named by its namespace (in a using or spelled out) or by a type it declares, which
// need no using when the room's namespace is a parent of the file's. Called by LayersTests.

using System.Text.RegularExpressions;

namespace Tidy.Tests;

internal sealed partial class Layers
{
    private readonly Dictionary<Room, HashSet<string>> _types;

    public Layers(IEnumerable<SourceFile> files)
    {
        Files = [.. files.Where(file => file.IsCSharp && House.Of(file) is not null)];
        _types = House.Rooms.ToDictionary(
            room => room,
            room => Files.Where(file => House.Of(file) == room).SelectMany(Declared).ToHashSet());
    }

    public IReadOnlyList<SourceFile> Files { get; }

    public IEnumerable<Finding> Namespaces() =>
        from file in Files
        let room = House.Of(file)!
        from line in Enumerable.Range(0, file.Code.Length)
        let name = NamespaceLine().Match(file.Code[line])
        where name.Success && !room.Namespaces.Any(its => IsWithin(name.Groups[1].Value, its))
        select file.At(line, $"declares {name.Groups[1].Value} in the room {room.Folder}",
            $"declare {string.Join(" or ", room.Namespaces)}, or move the file: a room is known by its namespace");

    public IEnumerable<Finding> ClosedWords() =>
        from file in Files
        from closed in House.Of(file)!.Closed
        from line in Enumerable.Range(0, file.Code.Length)
        where Regex.IsMatch(file.Code[line], closed.Pattern)
        select file.At(line, $"{closed.What}: {file.Code[line].Trim()}", closed.Mend);

    public IEnumerable<Finding> Rooms()
    {
        foreach (var file in Files)
        {
            var room = House.Of(file)!;
            string mend = $"a layer names only layers below it, {room.Folder} may name {Listed(room.MayName)}: "
                + "move the type down, or hand the value over";
            foreach (var other in House.Rooms.Where(other => other != room && IsSameProject(other, room) && !MayName(room, other)))
            {
                var names = Naming(room, other, file);
                for (int line = 0; line < file.Code.Length; line++)
                    if (names.Match(file.Code[line]) is { Success: true } name)
                        yield return file.At(line, $"names {other.Folder} by '{name.Value.Trim()}'", mend);
            }
        }
    }

    public static IEnumerable<Finding> GlobalUsings(SourceFile file) =>
        from line in Enumerable.Range(0, file.Code.Length)
        where GlobalUsing().IsMatch(file.Code[line])
        select file.At(line, "a global using", "name it in each file that needs it, so that a file's head shows its layer");

    // Types declared in a room the file may name as well are nobody's evidence.
    private Regex Naming(Room room, Room other, SourceFile file)
    {
        var own = _types.Where(pair => pair.Key == room || MayName(room, pair.Key)).SelectMany(pair => pair.Value).ToHashSet();
        var patterns = _types[other].Where(type => !own.Contains(type)).Select(type => TypeUse(type, file)).ToList();
        patterns.AddRange(
            from name in other.Namespaces
            where !Shared(name, room)
            select @"(?<![\w.])" + Regex.Escape(name) + NotDeeper(other));
        return new Regex(patterns.Count > 0 ? string.Join('|', patterns) : "(?!)");
    }

    // A namespace that the file's room lies in (Asgi for Asgi.Server.X) is told by types alone.
    private static bool Shared(string name, Room room) =>
        name == "Microsoft" || room.Namespaces.Any(own => IsWithin(own, name) || own == name);

    // "Asgi.Server.Loops" must not be found in "Asgi.Server.Loops.Buffers", which is another room.
    private static string NotDeeper(Room other)
    {
        var deeper =
            from name in House.Rooms.Where(room => room != other).SelectMany(room => room.Namespaces)
            from its in other.Namespaces
            where name.StartsWith(its + ".", StringComparison.Ordinal)
            select name[(its.Length + 1)..].Split('.')[0];
        string names = string.Join('|', deeper.Distinct());
        return names.Length > 0 ? $@"(?!\.(?:{names})\b)(?!\w)" : @"(?!\w)";
    }

    // Where a word stands for the type, not for a member that happens to bear its name.
    private static string TypeUse(string type, SourceFile file)
    {
        string word = $@"(?<![\w.]){type}";
        string declaring = $@"{word}(?:<[^;(){{}}]*>)?(?:\?|\[\])*\s+(?!(?:is|as|and|or|when|in|switch|with|not)\b)[A-Za-z_]";
        string uses = $@"(?:\b(?:new|is|as|is not)\s+|typeof\(\s*){type}\b|[<]\s*{type}\s*[>,?]|,\s*{type}\s*>"
            + $@"|(?:class|struct|interface|record|where)\b.*[:,]\s*{type}\b|{declaring}";
        bool isMemberToo = file.Code.Any(line => Regex.IsMatch(line, $@"[\w>?\]]\s+{type}\s*(?:\{{|=>|=[^=>]|;|$)"));
        return isMemberToo ? uses : $@"{uses}|{word}\.[A-Z]\w*";
    }

    private static IEnumerable<string> Declared(SourceFile file) =>
        file.Code.Select(line => TypeLine().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);

    private static bool IsWithin(string name, string parent) =>
        name == parent || (name.StartsWith(parent + ".", StringComparison.Ordinal) && parent != "Asgi");

    private static bool MayName(Room room, Room other) => room.MayName.Contains(other.Folder);

    private static bool IsSameProject(Room one, Room two) => Project(one) == Project(two);

    private static string Project(Room room) => string.Join('/', room.Folder.Split('/').Take(2));

    private static string Listed(string[] folders) => folders.Length == 0 ? "none of the project's rooms" : string.Join(", ", folders);

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^\s*global\s+using\b")]
    private static partial Regex GlobalUsing();

    // Types of a file-scoped namespace stand at the margin; nested ones do not leave their room by name.
    [GeneratedRegex(@"^(?:(?:public|internal|sealed|static|abstract|readonly|ref|partial|unsafe)\s+)*"
        + @"(?:class|struct|interface|enum|record(?:\s+(?:struct|class))?)\s+(\w+)")]
    private static partial Regex TypeLine();
}
