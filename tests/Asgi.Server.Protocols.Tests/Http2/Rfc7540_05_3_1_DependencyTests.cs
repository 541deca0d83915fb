// RFC 7540, section 5.3.1: a stream cannot depend on itself. RFC 9113 has dropped priorities; clients of the older one may count on this.

using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc7540_05_3_1_DependencyTests
{
    private const string Answered = "Request 3 GET /| http [host: a] end";

    private static readonly byte[] Usual = Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");

    private static byte[] Depending(uint id, uint dependency, int flags = EndHeaders | EndStream, byte[]? block = null) =>
        Frame(HeadersType, PriorityFlag | flags, id, [.. UInt32(dependency), 15, .. block ?? Usual]);

    [Theory]
    [InlineData(1u)]
    [InlineData(0x8000_0001)]
    public void Priority_of_an_open_stream_costs_the_stream(uint dependency) => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "StreamFault 1 ProtocolError SelfDependency", Answered],
        Http2Run.Of(Post(1), Priority(1, dependency), Get(3)));

    [Fact]
    public void A_stream_that_is_idle_cannot_be_reset_so_the_connection_ends() =>
        Assert.Equal(["Fault ProtocolError SelfDependency"], Http2Run.Of(Priority(1, 1), Get(3)));

    [Fact]
    public void What_is_closed_is_named_again() => Assert.Equal(
        ["Request 1 GET /| http [host: a] end", "StreamReset 1 Cancel", "StreamFault 1 ProtocolError SelfDependency", Answered],
        Http2Run.Of(Get(1), RstStream(1), Priority(1, 1), Get(3)));

    [Fact]
    public void Headers_that_say_so_open_no_stream() => Assert.Equal(
        ["StreamFault 1 ProtocolError SelfDependency", Answered],
        Http2Run.Of(Depending(1, 0x8000_0001), Get(3)));

    /// <summary>The second request names a field that stands in the table since the first.</summary>
    [Fact]
    public void Their_block_is_decoded_for_those_to_come() => Assert.Equal(
        ["StreamFault 1 ProtocolError SelfDependency", "Request 3 GET /| http [host: a|x: y] end"],
        Http2Run.Of(
            Depending(1, 1, block: [.. Usual, 0x40, 1, (byte)'x', 1, (byte)'y']),
            Frame(HeadersType, EndHeaders | EndStream, 3, [.. Usual, 0xBE])));

    [Fact]
    public void So_do_those_in_fragments() => Assert.Equal(
        ["StreamFault 1 ProtocolError SelfDependency", Answered],
        Http2Run.Of(Depending(1, 1, EndStream), Frame(Continuation, EndHeaders, 1), Depending(3, 1)));

    [Fact]
    public void Trailers_that_say_so_cost_the_stream() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "StreamFault 1 ProtocolError SelfDependency", Answered],
        Http2Run.Of(Post(1), Depending(1, 1, block: Block("t: u")), Depending(3, 0)));
}
