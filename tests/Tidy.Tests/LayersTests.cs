// The layers of the house, held over the tree; below, each rule seen failing on a snippet and passing on its neighbour.

namespace Tidy.Tests;

public sealed class LayersTests
{
    private static readonly Layers Code = new(Tree.CSharp);

    [Fact]
    public void A_file_declares_the_namespace_of_its_room() => Finding.None(Code.Namespaces());

    [Fact]
    public void A_room_uses_nothing_closed_to_it() => Finding.None(Code.ClosedWords());

    [Fact]
    public void A_layer_names_only_layers_below_it() => Finding.None(Code.Rooms());

    [Fact]
    public void Usings_are_written_in_each_file() =>
        Finding.None(Tree.CSharp.Where(file => file.IsUnder("src")).SelectMany(Layers.GlobalUsings));

    [Fact]
    public void Each_folder_of_the_product_is_a_room()
    {
        var rooms = House.Rooms.Select(room => room.Folder).ToHashSet();
        Finding.None(
            from file in Tree.CSharp
            where file.IsUnder(House.Product)
            let room = string.Join('/', file.Path.Split('/').Take(3))
            where !rooms.Contains(room)
            select file.At(0, $"{room} is no room of the house",
                "move the file into a room, or give the folder a line in tests/Tidy.Tests/House.cs"));
    }

    [Theory]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "namespace Asgi;", true)]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "namespace Asgi.Server.Asgi;", false)]
    [InlineData("src/Asgi.Server/Hosting/A.cs", "namespace Microsoft.AspNetCore.Hosting;", true)]
    [InlineData("src/Asgi.Server/Connections/Tls/A.cs", "namespace Asgi.Server.Connections.Tls;", true)]
    [InlineData("src/Asgi.Server/Connections/A.cs", "namespace Asgi.Server;", false)]
    [InlineData("src/Asgi.Server.Loops/Epoll/A.cs", "namespace Asgi.Server.Loops;", true)]
    [InlineData("src/Asgi.Server.Loops/Buffers/A.cs", "namespace Asgi.Server.Loops;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http2/Hpack/A.cs", "namespace Asgi.Server.Protocols.Http2.Hpack;", true)]
    public void A_namespace_is_its_rooms(string path, string code, bool tidy) => Check(house => house.Namespaces(), tidy, (path, code));

    [Theory]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "using Microsoft.AspNetCore.Http;", false)]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "// as Microsoft.AspNetCore has it", true)]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "using Asgi.Server.Loops;", false)]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "using System.Net.Sockets;", false)]
    [InlineData("src/Asgi.Server/Asgi/A.cs", "using Asgi.Server.Protocols.Http;", true)]
    [InlineData("src/Asgi.Server/Connections/A.cs", "IFeatureCollection features;", false)]
    [InlineData("src/Asgi.Server/Application/A.cs", "IFeatureCollection features;", true)]
    [InlineData("src/Asgi.Server/Hosting/A.cs", "IFeatureCollection features;", true)]
    [InlineData("src/Asgi.Server.Loops/Loop.cs", "using Microsoft.Extensions.Logging;", false)]
    [InlineData("src/Asgi.Server.Loops/Interop/A.cs", "using Microsoft.Win32.SafeHandles;", true)]
    [InlineData("src/Asgi.Server.Loops/Loop.cs", "using Asgi.Server.Protocols.Http1;", false)]
    [InlineData("src/Asgi.Server.Loops/Loop.cs", "private readonly Action<int> _wake;", true)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "using Asgi.Server.Loops.Buffers;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "global::Microsoft.Extensions.Logging.ILogger log;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "using System.Net.Sockets;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "using System.Threading.Tasks;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "ValueTask<int> Read();", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "private readonly Action<int> _on;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "private static byte[] Class(Func<int, bool> contains)", true)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "public NextAction Action => _action;", true)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "long now = Environment.TickCount64;", false)]
    public void A_closed_word_is_found_in_code_only(string path, string code, bool tidy) =>
        Check(house => house.ClosedWords(), tidy, (path, code));

    [Theory]
    [InlineData("Connections", "using Asgi.Server.Application;", false)]
    [InlineData("Application", "using Asgi.Server.Connections;", false)]
    [InlineData("Connections", "var a = new Asgi.Server.Application.HostedApplication();", false)]
    [InlineData("Connections", "using Asgi.Server.Diagnostics;", true)]
    [InlineData("Connections", "using Asgi;", true)]
    [InlineData("Diagnostics", "using Asgi;", false)]
    [InlineData("Diagnostics", "using Asgi.Server.Protocols.Http;", true)]
    [InlineData("Asgi", "using Asgi.Server;", false)]
    [InlineData("Asgi", "using Asgi.Server.Hosting;", false)]
    [InlineData("Asgi", "using Asgi.Server.Protocols.Http1;", true)]
    [InlineData("Hosting", "using Asgi.Server.Connections;", true)]
    public void A_room_is_named_by_its_namespace(string folder, string code, bool tidy) =>
        Check(house => house.Rooms(), tidy, ($"src/Asgi.Server/{folder}/A.cs", code));

    [Theory]
    [InlineData("Interop", "using Asgi.Server.Loops.Buffers;", false)]
    [InlineData("Interop", "using Asgi.Server.Loops;", true)] // a parent's namespace needs no using: its types tell
    [InlineData("Buffers", "using Asgi.Server.Loops.Interop;", true)]
    [InlineData("Epoll", "using Asgi.Server.Loops.Buffers;", true)]
    public void Loops_stand_on_buffers_and_buffers_on_interop(string folder, string code, bool tidy) =>
        Check(house => house.Rooms(), tidy, ($"src/Asgi.Server.Loops/{folder}/A.cs", code));

    [Theory]
    [InlineData("private readonly Loop _loop;", false)]
    [InlineData("private Loop? _loop;", false)]
    [InlineData("List<Loop> loops;", false)]
    [InlineData("var x = new Loop();", false)]
    [InlineData("Loop.Current.Post(x);", false)]
    [InlineData("internal sealed class Block : Loop", false)]
    [InlineData("// the Loop", true)]
    [InlineData("state = State.Loop;", true)]
    [InlineData("private int Loop { get; }", true)]
    [InlineData("private LoopGroup _group;", true)]
    public void A_room_is_named_by_its_types(string code, bool tidy) => Check(
        house => house.Rooms(), tidy,
        ("src/Asgi.Server.Loops/Loop.cs", "namespace Asgi.Server.Loops;\ninternal sealed class Loop"),
        ("src/Asgi.Server.Loops/Buffers/Block.cs", code));

    [Fact]
    public void A_property_that_bears_a_types_name_may_be_used() => Check(
        house => house.Rooms(), tidy: true,
        ("src/Asgi.Server/Connections/Connection.cs", "internal sealed class Connection"),
        ("src/Asgi.Server/Asgi/Scope.cs", "public ConnectionInfo Connection { get; }\nstring Id => Connection.Id;"));

    [Theory]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "using Asgi.Server.Protocols.Http2;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http2/A.cs", "using Asgi.Server.Protocols.Http1;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http/A.cs", "using Asgi.Server.Protocols.Http1;", false)]
    [InlineData("src/Asgi.Server.Protocols/Http1/A.cs", "using Asgi.Server.Protocols.Http;", true)]
    public void The_versions_of_HTTP_do_not_name_each_other(string path, string code, bool tidy) =>
        Check(house => house.Rooms(), tidy, (path, code));

    [Theory]
    [InlineData("global using System.Net;", false)]
    [InlineData("using System.Net;", true)]
    public void A_global_using_is_found(string code, bool tidy) =>
        Assert.Equal(tidy, !Layers.GlobalUsings(new SourceFile("src/A.cs", code)).Any());

    private static void Check(Func<Layers, IEnumerable<Finding>> rule, bool tidy, params (string Path, string Code)[] files)
    {
        var house = new Layers(files.Select(file => new SourceFile(file.Path, file.Code)));
        Assert.Equal(tidy, !rule(house).Any());
    }
}
