// The picture of a comparison: a group of bars per scenario, a bar per server against the first server, which is a line at 1, and
// a mark where the target is. An SVG with a ground of its own, so that it is legible on a page of any colour, and with the reader's
// own fonts. Sized for a page 900 pixels wide.

using System.Globalization;
using System.Security;
using System.Text;

namespace Compare;

internal sealed class Chart
{
    private const int Width = 900, Margin = 28, Left = 238, Right = 826;
    private const int HeadHeight = 132, RowGap = 14, MainBar = 20, Bar = 8, Pitch = 13;
    private const string Main = "asgi";

    // The words of the legend and the class of the style below, by server.
    private static readonly (string Server, string Says)[] Servers =
    [
        (Main, "Asgi.Server"),
        ("kestrel", "Kestrel as shipped"),
        ("kestrel-tuned", "Kestrel, tuned"),
        ("uvicorn", "Uvicorn"),
        ("nginx", "nginx"),
        ("floor", "bare epoll loop in C"),
    ];

    private const string Style = """
        <style>
          text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #57606a; }
          .ground { fill: #ffffff; stroke: #d0d7de; } .grid { stroke: #e6eaef; } .one { stroke: #57606a; stroke-width: 1.5; }
          .title { font-size: 19px; font-weight: 600; fill: #1f2328; } .name { font-size: 14px; font-weight: 600; fill: #1f2328; }
          .main { font-size: 13px; font-weight: 700; fill: #ffffff; } .value { stroke: #ffffff; stroke-width: 3px; paint-order: stroke; }
          .asgi { fill: #1f6feb; } .kestrel { fill: #8c959f; } .kestrel-tuned { fill: #a5adb6; } .uvicorn { fill: #3fa37a; }
          .nginx { fill: #9a6dd7; } .floor { fill: #d8c7a0; } .target { fill: #d4620a; stroke: #ffffff; stroke-width: 1px; }
          @media (prefers-color-scheme: dark) {
            text { fill: #9198a1; } .ground { fill: #0d1117; stroke: #3d444d; } .grid { stroke: #21262d; } .one { stroke: #9198a1; }
            .title, .name { fill: #f0f6fc; } .value { stroke: #0d1117; } .main { fill: #ffffff; }
            .kestrel { fill: #7d8590; } .kestrel-tuned { fill: #656d77; } .uvicorn { fill: #3fa37a; } .floor { fill: #8f7f57; }
            .target { fill: #f0883e; stroke: #0d1117; }
          }
        </style>
        """;

    private readonly StringBuilder _svg = new();
    private readonly Result _result;
    private readonly string[] _servers;
    private readonly double _greatest;
    private bool _hasLimited;
    private bool _hasErrors;

    private Chart(Result result)
    {
        _result = result;
        _servers = [.. Servers.Select(server => server.Server).Intersect(result.Settings.Servers).Where(name => name != result.Reference)];
        // What the server is to reach fits; the others, the floor above all, may go beyond the edge.
        double[] toFit = [.. result.Settings.Scenarios.SelectMany(scenario => new[] { Figure(scenario, Main) ?? 0, Goal(scenario) })];
        _greatest = Math.Ceiling(Math.Max(2, toFit.Max() * 1.1) * 2) / 2;
    }

    public static string Draw(Result result) => new Chart(result).Draw();

    // The ratio by rate, or by CPU time where the load was the limit; the first server is the line.
    private double? Figure(string scenario, string server)
    {
        if (server == _result.Reference || _result.ByRate(scenario, server, _result.Reference) is not { } byRate)
            return null;
        return (_result.IsLimitedByLoad(scenario, server) ? _result.ByCpu(scenario, server, _result.Reference) ?? byRate : byRate).Median;
    }

    private IEnumerable<string> Known(string scenario) => _servers.Where(server => Figure(scenario, server) is not null);

    private double Goal(string scenario) => _servers.Contains(Main) ? _result.Goal(scenario) ?? 0 : 0;

    private string Draw()
    {
        string[] scenarios = [.. _result.Settings.Scenarios.Where(scenario => Known(scenario).Any())];
        int bottom = HeadHeight + scenarios.Sum(RowHeight);
        Grid(bottom);
        int top = HeadHeight;
        foreach (string scenario in scenarios)
        {
            Row(scenario, top);
            top += RowHeight(scenario);
        }
        int height = Caption(bottom + 40);
        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" role="img">
            <title>{Escaped(Title)}</title>
            {Style}
            <rect class="ground" x="0.5" y="0.5" width="{Width - 1}" height="{height - 1}" rx="10"/>
            {Head()}{_svg}</svg>

            """;
    }

    // What the bars are of, once they are drawn.
    private string Title =>
        $"Requests per second{(_hasLimited ? ", or per CPU second (*)," : " on one core,")} against {Says(_result.Reference)}";

    private string Head()
    {
        var head = new StringBuilder($"<text class=\"title\" x=\"{Margin}\" y=\"42\">{Escaped(Title)}</text>\n");
        int x = Margin;
        foreach (string server in _servers)
        {
            head.Append(CultureInfo.InvariantCulture, $"<rect class=\"{server}\" x=\"{x}\" y=\"62\" width=\"14\" height=\"14\" rx=\"2\"/>");
            head.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 20}\" y=\"74\">{Escaped(Says(server))}</text>\n");
            x += 52 + 6 * Says(server).Length;
        }
        if (_result.Settings.Scenarios.Any(scenario => Goal(scenario) > 0))
            head.Append(CultureInfo.InvariantCulture, $"{Mark(x + 7, 61, 76)}<text x=\"{x + 18}\" y=\"74\">target</text>\n");
        return head.ToString();
    }

    private void Grid(int bottom)
    {
        for (int value = 0; value <= _greatest; value++)
        {
            string kind = value == 1 ? "one" : "grid";
            string says = value == 1 ? $"{_result.Reference} = 1" : value.ToString(CultureInfo.InvariantCulture);
            foreach (int y in new[] { HeadHeight - 18, bottom + 10 })
                Add($"<text x=\"{X(value):0.#}\" y=\"{y}\" text-anchor=\"middle\">{says}</text>");
            Add($"<line class=\"{kind}\" x1=\"{X(value):0.#}\" x2=\"{X(value):0.#}\" y1=\"{HeadHeight - 10}\" y2=\"{bottom - 6}\"/>");
        }
    }

    private void Row(string scenario, int top)
    {
        string says = Scenario.All.FirstOrDefault(known => known.Name == scenario)?.Says ?? "";
        Add($"<text class=\"name\" x=\"{Margin}\" y=\"{top + 15}\">{Escaped(scenario)}</text>");
        Add($"<text x=\"{Margin}\" y=\"{top + 33}\">{Escaped(says)}</text>");
        int y = top;
        foreach (string server in _servers)
        {
            if (Figure(scenario, server) is not { } figure)
                continue;
            bool isMain = server == Main, isLimited = _result.IsLimitedByLoad(scenario, server);
            bool hasErrors = _result.HasErrors(scenario, server);
            _hasLimited |= isLimited;
            _hasErrors |= hasErrors;
            int height = isMain ? MainBar : Bar;
            bool isCut = figure > _greatest;
            double end = isCut ? Right + 6 : X(figure);
            Add($"<rect class=\"{server}\" x=\"{Left}\" y=\"{y}\" width=\"{end - Left:0.#}\" height=\"{height}\" rx=\"2\"/>");
            string marks = (isLimited ? " *" : "") + (hasErrors ? " !" : "") + (isCut ? " \u2192" : "");
            string label = string.Create(CultureInfo.InvariantCulture, $"{figure:0.00}{marks}");
            bool isInside = isMain && end - Left > 60; // the bar's end and the target are to be seen
            string kind = isInside ? "main" : "value";
            Add($"<text class=\"{kind}\" x=\"{(isInside ? Left + 8 : end + 5):0.#}\" y=\"{y + height / 2 + 4}\">{label}</text>");
            if (isMain && Goal(scenario) > 0)
                Add($"{Mark(X(Goal(scenario)), y - 3, y + height + 3)}");
            y += isMain ? MainBar + 5 : Pitch;
        }
    }

    private int RowHeight(string scenario)
    {
        int bars = Known(scenario).Sum(server => server == Main ? MainBar + 5 : Pitch);
        return Math.Max(bars, 38) + RowGap;
    }

    // Adds the lines below the bars and answers where the picture ends.
    private int Caption(int y)
    {
        var settings = _result.Settings;
        var machine = _result.Machine;
        string others = string.Concat(_result.Versions
            .Where(version => version.Key is "uvicorn" or "nginx" && _servers.Contains(version.Key))
            .Select(version => $", {version.Key} {version.Value}"));
        var (least, greatest) = _result.CountRounds();
        string rounds = least < greatest ? $"{least} to {greatest} rounds" : greatest == 1 ? "1 round" : $"{greatest} rounds";
        List<string> lines =
        [
            $"Medians of {rounds} of {settings.Seconds} s in turns; server on one core, load on another. Longer is better.",
        ];
        if (_hasLimited)
            lines.Add("* The server's core was not busy, load or a wait was the limit: CPU time per request is compared, not the rate.");
        if (_hasErrors)
            lines.Add("! One of the two servers lost connections or answered with errors: the table of the comparison counts them.");
        if (_result.Failures.Count > 0)
            lines.Add($"Failures: {_result.Failures.Count}, told below the table of the comparison.");
        lines.Add($"{machine.Runtime}{others}; {machine.Cpu}; Linux {machine.Kernel}");
        string commit = machine.Commit is null ? "" : $", commit {machine.Commit}";
        lines.Add(string.Create(CultureInfo.InvariantCulture, $"{_result.Date:yyyy-MM-dd}{commit}"));
        foreach (string line in lines)
        {
            Add($"<text x=\"{Margin}\" y=\"{y}\">{Escaped(line)}</text>");
            y += 19;
        }
        return y + 6;
    }

    private double X(double figure) => Left + (Right - Left) * figure / _greatest;

    private void Add(FormattableString element) => _svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Mark(double x, int top, int bottom) => string.Create(CultureInfo.InvariantCulture,
        $"<path class=\"target\" d=\"M{x - 5:0.#} {top - 3}h10l-3.5 5v{bottom - top - 2}h-3v-{bottom - top - 2}z\"/>");

    private static string Says(string server) => Servers.First(known => known.Server == server).Says;

    private static string Escaped(string text) => SecurityElement.Escape(text);
}
