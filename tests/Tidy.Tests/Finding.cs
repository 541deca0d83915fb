// What a rule found and how to mend it. Each fact over the tree ends in Finding.None, whose failure lists every finding at once.

namespace Tidy.Tests;

internal sealed record Finding(string Path, int Line, string What, string Mend)
{
    public override string ToString() => $"{Path}:{Line}: {What}\n    mend: {Mend}";

    public static void None(IEnumerable<Finding> findings)
    {
        var all = findings.ToList();
        if (all.Count > 0)
            Assert.Fail($"{all.Count} untidy:\n{string.Join('\n', all)}");
    }
}
