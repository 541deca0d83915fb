// The scanner under all rules: what it blanks, and that it blanks no more.

namespace Tidy.Tests;

public sealed class CodeTextTests
{
    [Theory]
    [InlineData("a(); // lock (x)", "a();            ")]
    [InlineData("a(); /* b\nc */ d();", "a();     \n     d();")]
    [InlineData("#pragma it's\na", "            \na")]
    [InlineData("f(\"lock\\\"(\");", "f(\"       \");")]
    [InlineData("f(@\"a\\\"); g();", "f(@\"  \"); g();")]
    [InlineData("f(@\"a\"\"b\"); g();", "f(@\"    \"); g();")]
    [InlineData("f('\"'); g('\\'');", "f(' '); g('  ');")]
    [InlineData("f($\"a{b[\"c\"]}d{{e\"); g();", "f($\" {b[\" \"]}    \"); g();")]
    [InlineData("f(\"\"\"a \"b\" // c\"\"\"); g();", "f(                ); g();")]
    [InlineData("f(\"\"); g();", "f(\"\"); g();")]
    [InlineData("if (a[^1] == 'b') c(@class);", "if (a[^1] == ' ') c(@class);")]
    public void Comments_and_literals_are_blanked_and_code_stays(string text, string code) =>
        Assert.Equal(code, CodeText.Of(text));

    [Fact]
    public void An_unfinished_literal_ends_with_its_line() => Assert.Equal("f(\" \nlock (x)", CodeText.Of("f(\"a\nlock (x)"));

    [Fact]
    public void Line_numbers_hold_across_raw_literals_and_comments()
    {
        var file = new SourceFile("src/A.cs", "/* a\n b */\nvar x = \"\"\"\n    lock (y)\n    \"\"\";\nlock (z)\n");

        Assert.Equal(6, file.Code.Length);
        Assert.Equal("lock (z)", file.Code[5]);
        Assert.DoesNotContain("lock (y)", string.Join('\n', file.Code));
    }
}
