// Plain HTTP on a port with TLS, TLS on a port without, and what is neither.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class WrongPortTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("G")]
    [InlineData("M-SEARCH * HTTP/1.1\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public void Plain_http_is_answered_with_what_to_do(string request)
    {
        using var server = TlsBed.Serve(Apps.Path);
        var client = server.Connect(request);

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal(400, response.Status);
        Assert.True(response.IsComplete);
        Assert.Equal("close", response.Field("Connection"));
        Assert.Contains("https://", response.Content, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void The_answer_arrives_although_the_client_still_sends()
    {
        using var server = TlsBed.Serve(Apps.Path);
        var client = server.Connect("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
        client.Send(new string('x', 100_000));
        server.Run();

        Assert.True(Assert.Single(Responses.Of(client)).IsComplete);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        client.ShutdownSend();
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
    }

    [Theory]
    [InlineData("\x80\x2e\x01\x00\x02\x00")]
    [InlineData("get / HTTP/1.1\r\n\r\n")]
    [InlineData("GET/ HTTP/1.1\r\n\r\n")]
    [InlineData("ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n\r\n")]
    [InlineData("\0")]
    public void What_is_neither_gets_no_answer(string bytes)
    {
        using var server = TlsBed.Serve(Apps.Path);
        var client = server.Connect(bytes);

        Assert.Equal("", client.Received);
        Assert.NotEqual(ConnectionEnd.None, client.End);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void The_longest_method_is_one()
    {
        using var server = TlsBed.Serve(Apps.Path);
        Assert.NotEqual("", server.Connect("ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\n\r\n").Received);
    }

    [Fact]
    public void An_operator_is_told_of_plain_http_once_a_minute()
    {
        using var server = TlsBed.Serve(Apps.Path);
        for (var i = 0; i < 6; i++)
        {
            server.Connect("GET / HTTP/1.1\r\n\r\n").ShutdownSend();
            server.Advance(i == 3 ? Reminder.TellMilliseconds : 1);
        }

        Assert.Equal(2, server.Told.Count(entry => entry.Id.Id == 131));
        Assert.Equal(6, server.Told.Count(entry => entry.Id.Id == 130));
    }

    [Fact]
    public void Tls_on_a_plain_port_is_a_bad_request_of_which_an_operator_is_told()
    {
        using var server = new SimulatedServer(Apps.Path);
        for (var i = 0; i < 3; i++)
        {
            using var client = new TlsClient(server);
            Assert.Throws<System.Security.Authentication.AuthenticationException>(client.Handshake);
            client.Raw.ShutdownSend();
            server.Advance(i == 1 ? Reminder.TellMilliseconds : 1);
        }

        Assert.Equal(2, server.Told.Count(entry => entry.Id.Id == 132));
    }

    [Fact]
    public void Garbage_on_a_plain_port_is_no_tls()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect("\x16\x02\x01\r\n\r\n");
        server.Connect("\x15\x03\x01\r\n\r\n");

        Assert.DoesNotContain(server.Told, entry => entry.Id.Id == 132);
    }
}
