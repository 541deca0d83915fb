// RFC 9113, section 3.4: the first bytes of a client, and the SETTINGS that must follow.

using System.Text;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_03_4_PrefaceTests
{
    [Fact]
    public void The_preface_and_settings_begin_a_connection()
    {
        foreach (int piece in (int[])[1, 2, 5, 23, 24, 25, 1000])
        {
            var run = new Http2Run(pieceMax: piece);
            run.Receive(Start, Get(1));

            Assert.Equal(["Settings", "Request 1 GET /| http [host: a] end"], run.Events);
        }
    }

    [Fact]
    public void A_wrong_byte_at_any_place_is_a_fault_as_soon_as_it_is_there()
    {
        for (int i = 0; i < Preface.Length; i++)
        {
            byte[] bytes = [.. Preface[..i], (byte)(Preface[i] ^ 0x20)];
            var run = new Http2Run(pieceMax: 1);
            run.Receive(bytes);

            Assert.Equal(["Fault ProtocolError InvalidPreface"], run.Events);
        }
    }

    [Fact]
    public void Something_else_than_settings_after_it_is_a_fault()
    {
        foreach (byte[] frame in (byte[][])[Get(1), SettingsAck(), Ping(), WindowUpdate(0, 1), Frame(0xEE, 0, 0), GoAway()])
        {
            var run = new Http2Run();
            run.Receive(Preface, frame);

            Assert.Equal(["Fault ProtocolError SettingsNotFirst"], run.Events);
        }
    }

    [Fact]
    public void Until_the_first_settings_are_there_the_client_has_a_deadline()
    {
        var run = new Http2Run();
        Assert.True(run.Machine.IsMidBlock);
        run.Receive(Preface);
        Assert.True(run.Machine.IsMidBlock);
        run.Receive(Settings());
        Assert.False(run.Machine.IsMidBlock);
    }

    [Theory]
    [InlineData("", Http2PrefaceMatch.Partial)]
    [InlineData("PRI", Http2PrefaceMatch.Partial)]
    [InlineData("PRX", Http2PrefaceMatch.None)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", Http2PrefaceMatch.Partial)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Http2PrefaceMatch.Full)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nx", Http2PrefaceMatch.Full)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", Http2PrefaceMatch.None)]
    internal void Others_can_ask_whether_bytes_are_it(string bytes, Http2PrefaceMatch expected) =>
        Assert.Equal(expected, Http2Preface.Match(Encoding.ASCII.GetBytes(bytes)));

    [Fact]
    public void A_fault_is_final()
    {
        var run = new Http2Run();
        run.Receive(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n"));
        run.Receive(Start, Get(1));

        Assert.Equal(["Fault ProtocolError InvalidPreface"], run.Events);
        Assert.Equal(Http2Event.Fault, run.Machine.Read(Start, 0, out int consumed));
        Assert.Equal(0, consumed);
    }
}
