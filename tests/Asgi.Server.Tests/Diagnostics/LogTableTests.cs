// The table of events in the README of Diagnostics is what the code logs: each row is compared with the attributes of the assembly, and
// the category with what is logged when the event is written.

using System.Globalization;
using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;
using Asgi.Server.Application;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class LogTableTests
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private sealed record Row(int Id, string Name, string Level, string Category);

    [Fact]
    public void Every_event_of_the_assembly_has_its_row_and_every_row_its_event() =>
        Assert.Equal(
            Attributes().Select(attribute => (attribute.EventId, attribute.EventName, Level: attribute.Level.ToString())).Order(),
            Rows().Select(row => (row.Id, (string?)row.Name, row.Level)).Order());

    [Fact]
    public void An_id_is_one_event() =>
        Assert.Equal(Rows().Count, Rows().Select(row => row.Id).Distinct().Count());

    [Fact]
    public void The_events_of_the_servers_log_are_written_to_the_category_of_their_row()
    {
        using var logs = new RecordingLog();
        var log = new ServerLog(logs);
        foreach (var method in typeof(ServerLog).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
        {
            if (method.ReturnType == typeof(void) && method.Name != nameof(ServerLog.Guard))
            {
                method.Invoke(log, [.. method.GetParameters().Select(parameter => Any(parameter.ParameterType))]);
            }
        }

        var written = logs.Entries.Select(entry => (entry.Id.Id, entry.Category)).Distinct().ToList();
        var ofLog = Attributes(typeof(ServerLog)).Select(attribute => attribute.EventId);
        Assert.Equal(ofLog.Order(), written.Select(entry => entry.Id).Order());
        Assert.All(written, entry => Assert.Equal(entry.Category, Rows().Single(row => row.Id == entry.Id).Category));
        Assert.All(
            Rows().ExceptBy(ofLog, row => row.Id),
            row => Assert.Equal(row.Name == "ConnectionBytes" ? ConnectionLogging.Category : "Asgi.Server", row.Category));
    }

    private static IEnumerable<LoggerMessageAttribute> Attributes() => typeof(ServerLog).Assembly.GetTypes().SelectMany(Attributes);

    private static IEnumerable<LoggerMessageAttribute> Attributes(Type type) => type.GetMethods(All | BindingFlags.DeclaredOnly)
        .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
        .OfType<LoggerMessageAttribute>();

    private static object Any(Type type) =>
        type == typeof(string) ? "any"
        : type == typeof(Exception) ? new IOException()
        : type == typeof(EndPoint) ? new IPEndPoint(IPAddress.Loopback, 1)
        : type == typeof(HttpFault) ? new HttpFault("any", 400, "any", "any")
        : type.IsEnum || type.IsValueType ? Activator.CreateInstance(type)!
        : throw new NotSupportedException($"The log takes a {type}: say here what to give it.");

    private static List<Row> Rows([CallerFilePath] string path = "")
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../.."));
        var category = "";
        List<Row> rows = [];
        foreach (var line in File.ReadLines(Path.Combine(root, "src/Asgi.Server/Diagnostics/README.md")))
        {
            // | category, if it is not that of the row above | id | level | `name` | meaning |
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (cells.Length >= 6 && int.TryParse(cells[2], CultureInfo.InvariantCulture, out var id))
            {
                category = cells[1].Length > 0 ? cells[1].Trim('`') : category;
                rows.Add(new Row(id, cells[4].Trim('`'), cells[3], category));
            }
        }

        return rows;
    }
}
