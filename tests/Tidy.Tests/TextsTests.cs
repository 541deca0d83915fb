// Sizes, heads, leftovers and addresses over the tree; below, each rule at its limit and one past it.

namespace Tidy.Tests;

public sealed class TextsTests
{
    [Fact]
    public void A_file_holds_one_job() => Finding.None(Tree.Files.SelectMany(Texts.FileSize));

    [Fact]
    public void Each_exempt_table_exists() => Assert.All(Texts.Tables, table => Tree.File(table.Path));

    [Fact]
    public void A_line_fits_the_screen() => Finding.None(Tree.Files.SelectMany(Texts.LineLength));

    [Fact]
    public void A_source_file_says_at_its_head_what_it_is() => Finding.None(Tree.Files.SelectMany(Texts.Head));

    [Fact]
    public void Nothing_is_left_for_later() => Finding.None(Tree.Files.SelectMany(Texts.Markers));

    [Fact]
    public void No_file_names_a_path_of_one_machine() => Finding.None(Tree.Files.SelectMany(file => Texts.MachinePaths(file, Tree.Root)));

    [Fact]
    public void No_file_names_a_package_registry() => Finding.None(Tree.Files.SelectMany(Texts.Registries));

    [Theory]
    [InlineData("src/A.cs", Texts.MaxSourceLines, true)]
    [InlineData("src/A.cs", Texts.MaxSourceLines + 1, false)]
    [InlineData("tests/A.cs", Texts.MaxTestLines, true)]
    [InlineData("tests/A.cs", Texts.MaxTestLines + 1, false)]
    [InlineData("src/README.md", Texts.MaxSourceLines + 1, true)]
    public void A_file_has_so_many_lines_at_most(string path, int lines, bool tidy) =>
        Check(Texts.FileSize, path, string.Concat(Enumerable.Repeat("a\n", lines)), tidy);

    [Theory]
    [InlineData(Texts.MaxColumns, true)]
    [InlineData(Texts.MaxColumns + 1, false)]
    public void A_line_has_so_many_columns_at_most(int columns, bool tidy) =>
        Check(Texts.LineLength, "src/A.cs", new string('a', columns), tidy);

    [Theory]
    [InlineData("src/A.cs", "// The loop.\nusing System;", true)]
    [InlineData("src/A.cs", "\uFEFF// The loop.", true)]
    [InlineData("src/A.cs", "using System;\n// The loop.", false)]
    [InlineData("src/A.cs", "/// <summary>", false)]
    [InlineData("src/A.cs", "//", false)]
    [InlineData("tests/A.cs", "using System;", true)]
    public void A_head_is_a_comment_with_words(string path, string text, bool tidy) => Check(Texts.Head, path, text, tidy);

    [Theory]
    [InlineData("// TODO: later", false)]
    [InlineData("// FIXME", false)]
    [InlineData("# HACK", false)]
    [InlineData("XXX", false)]
    [InlineData("throw new NotImplementedException();", false)]
    [InlineData("a todo list, method XXXX", true)]
    public void A_leftover_is_found_in_any_text(string text, bool tidy) => Check(Texts.Markers, "README.md", text, tidy);

    [Theory]
    [InlineData("see /home/ann/notes", false)]
    [InlineData("cd /home/bob/x", false)]
    [InlineData("/root/.bashrc", false)]
    [InlineData("/Users/ann/x", false)]
    [InlineData(@"C:\Users\ann", false)]
    [InlineData("/some/where/repo/src", false)]
    [InlineData("GET /Home/Index, http://localhost/home/page, ./home/x, /tmp/app.sock", true)]
    public void A_path_of_one_machine_is_found(string text, bool tidy) =>
        Check(file => Texts.MachinePaths(file, "/some/where/repo"), "README.md", text, tidy);

    [Theory]
    [InlineData("README.md", "https://registry.example/v3/index.json", false)]
    [InlineData("package-lock.json", "\"resolved\": \"https://registry.example.org/ws/-/ws-8.0.0.tgz\"", false)]
    [InlineData("NuGet.config", "<add key=\"feed\" value=\"http://10.0.0.1/feed\" />", false)]
    [InlineData("NuGet.config", "<packageSource key=\"nuget.org\">", true)]
    [InlineData("README.md", "https://www.rfc-editor.org/rfc/rfc9112", true)]
    public void The_address_of_a_registry_is_found(string path, string text, bool tidy) => Check(Texts.Registries, path, text, tidy);

    private static void Check(Func<SourceFile, IEnumerable<Finding>> rule, string path, string text, bool tidy) =>
        Assert.Equal(tidy, !rule(new SourceFile(path, text)).Any());
}
