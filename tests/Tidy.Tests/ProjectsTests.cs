// References, solution and READMEs over the tree; below, each rule seen failing on a snippet.

namespace Tidy.Tests;

public sealed class ProjectsTests
{
    private const string Protocols = "src/Asgi.Server.Protocols/Asgi.Server.Protocols.csproj";
    private const string Product = "src/Asgi.Server/Asgi.Server.csproj";

    [Fact]
    public void The_libraries_reference_the_shared_framework_and_nothing_else() => Finding.None(Tree.Files.SelectMany(Projects.References));

    [Fact]
    public void The_libraries_have_no_global_usings() => Finding.None(Tree.Files.SelectMany(Projects.GlobalUsings));

    [Fact]
    public void Each_project_is_in_the_solution() => Finding.None(Projects.Solution(Tree.File("Asgi.Server.sln"), Tree.Files));

    [Fact]
    public void Each_room_of_src_has_a_readme() => Finding.None(Projects.Readmes([.. Tree.Files]));

    [Theory]
    [InlineData(Product, "<FrameworkReference Include=\"Microsoft.AspNetCore.App\" />", true)]
    [InlineData(Product, "<ProjectReference Include=\"..\\Asgi.Server.Loops\\Asgi.Server.Loops.csproj\" />", true)]
    [InlineData(Product, "<PackageReference Include=\"Polly\" Version=\"8.2.0\" />", false)]
    [InlineData("src/Directory.Build.props", "<PackageReference Include=\"Meziantou.Analyzer\" PrivateAssets=\"all\" />", true)]
    [InlineData("Directory.Build.props", "<PackageReference Include=\"Polly\" />", false)]
    [InlineData(Protocols, "<FrameworkReference Include=\"Microsoft.AspNetCore.App\" />", false)]
    [InlineData(Protocols, "<ProjectReference Include=\"../Asgi.Server.Loops/Asgi.Server.Loops.csproj\" />", false)]
    [InlineData(Protocols, "<InternalsVisibleTo Include=\"Asgi.Server\" />", true)]
    [InlineData("src/Asgi.Server.Cli/Asgi.Server.Cli.csproj", "<PackageReference Include=\"System.CommandLine\" />", true)]
    public void A_reference_of_a_library_is_found(string path, string text, bool tidy) =>
        Assert.Equal(tidy, !Projects.References(new SourceFile(path, text)).Any());

    [Fact]
    public void A_global_using_of_a_project_is_found() =>
        Assert.Single(Projects.GlobalUsings(new SourceFile(Product, "<ItemGroup>\n<Using Include=\"System.Net\" />")));

    [Fact]
    public void A_project_outside_the_solution_is_found_and_so_is_a_ghost_in_it()
    {
        var solution = new SourceFile("Asgi.Server.sln", "Project(\"{F}\") = \"A\", \"src\\A\\A.csproj\", \"{1}\"");
        var a = new SourceFile("src/A/A.csproj", "<Project />");
        var b = new SourceFile("src/B/B.csproj", "<Project />");

        Assert.Empty(Projects.Solution(solution, [solution, a]));
        Assert.Equal("src/B/B.csproj", Assert.Single(Projects.Solution(solution, [solution, a, b])).Path);
        Assert.Equal("Asgi.Server.sln", Assert.Single(Projects.Solution(solution, [solution])).Path);
    }

    [Fact]
    public void A_project_and_each_room_in_it_need_a_readme()
    {
        SourceFile[] code = [new("src/P/R/Deep/A.cs", ""), new("src/P/R/B.cs", "")];

        Assert.Equal(["src/P/README.md", "src/P/R/README.md"], Projects.Readmes(code).Select(finding => finding.Path));
        Assert.Empty(Projects.Readmes([.. code, new("src/P/README.md", ""), new("src/P/R/README.md", "")]));
    }
}
