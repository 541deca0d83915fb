// A client that reads slowly stops the application that writes (ConnectionLimits.ResponseBufferSizeMax).

using System.Globalization;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class BackPressureTests
{
    private const int PieceSize = 16 * 1024;
    private const int PieceCount = 64;
    private const int BufferMax = 64 * 1024;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flush_waits_until_half_of_what_is_unsent_is_sent(bool isOffLoop)
    {
        var start = new TaskCompletionSource();
        var flushed = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await start.Task;
                await WritePieces(exchange, () => flushed++);
            },
            conditions: NetworkConditions.Calm);
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        Start(server, start, isOffLoop);

        // The kernel holds as much as the server: the head is what is over the limit.
        Assert.Equal(((NetworkConditions.Calm.SendCapacity + BufferMax) / PieceSize) - 1, flushed);
        client.Window = 1024;
        server.Run();
        var head = client.Received.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;

        client.Window = head + (BufferMax / 2) - 1024 - 1;
        server.Run();
        Assert.Equal(((NetworkConditions.Calm.SendCapacity + BufferMax) / PieceSize) - 1, flushed);

        client.Window = 1;
        server.Run();
        Assert.InRange(flushed, (NetworkConditions.Calm.SendCapacity + BufferMax) / PieceSize, PieceCount - 1);

        client.Window = long.MaxValue;
        server.Run();
        Assert.Equal(PieceCount, flushed);
        DemandAllPieces(client);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Without_room_for_a_byte_every_flush_waits_for_the_operating_system() => Seeds.Run(10, seed =>
    {
        var flushed = 0;
        using var server = new SimulatedServer(
            exchange => WritePieces(exchange, () => flushed++),
            seed,
            new ConnectionLimits { ResponseBufferSizeMax = 0 },
            NetworkConditions.Of(seed, segmentLengthMin: 1000) with { SendCapacity = PieceSize });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);

        server.Run();
        Assert.Equal(0, flushed);

        client.Window = long.MaxValue;
        server.Run();
        Assert.Equal(PieceCount, flushed);
        DemandAllPieces(client);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Without_a_limit_no_flush_waits()
    {
        var flushed = 0;
        using var server = new SimulatedServer(
            exchange => WritePieces(exchange, () => flushed++), limits: new ConnectionLimits { ResponseBufferSizeMax = null });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);

        server.Run();
        Assert.Equal(PieceCount, flushed);

        client.Window = long.MaxValue;
        server.Run();
        DemandAllPieces(client);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flush_that_waits_goes_on_when_the_client_leaves(bool isReset) => Seeds.Run(10, seed =>
    {
        var isDone = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await WritePieces(exchange, () => { });
                isDone = true;
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        Assert.False(isDone);

        if (isReset)
        {
            client.Reset();
        }
        else
        {
            server.AbortAll();
        }

        server.Run();
        Assert.True(isDone);
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_is_written_for_a_client_that_has_left_is_dropped()
    {
        var start = new TaskCompletionSource();
        var end = new TaskCompletionSource();
        var blockCountMost = 0;
        SimulatedServer? served = null;
        using var server = served = new SimulatedServer(async exchange =>
        {
            await start.Task;
            await WritePieces(exchange, () => blockCountMost = Math.Max(blockCountMost, served!.BlockCount));
            await end.Task;
        });
        var client = server.Connect(Apps.Get);
        client.Reset();
        server.Run();

        SimulatedServer.OnLoop(start.SetResult);
        server.Run();

        // The request's, and at most two for a piece.
        Assert.InRange(blockCountMost, 1, 3);
        SimulatedServer.OnLoop(end.SetResult);
        server.Run();
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Requests_pipelined_by_a_client_that_reads_nothing_wait_for_it() => Seeds.Run(10, seed =>
    {
        // Each response is written whole and never waits; the requests must.
        const int RequestCount = 200;
        var content = Apps.Repeat("x", PieceSize);
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, content), seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Repeat(Apps.Get, RequestCount));

        server.Run();
        Assert.InRange(server.BlockCount, 1, (2 * BufferMax / PieceSize) + 4);

        client.Window = long.MaxValue;
        server.Run();
        var responses = Responses.Of(client);
        Assert.Equal(RequestCount, responses.Count);
        Assert.All(responses, response => Assert.Equal(content, response.Content));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_refusal_reaches_a_slow_reader_that_has_closed_its_side() => Seeds.Run(20, seed =>
    {
        // Both directions are shut then, which epoll reports as a hang-up; it must not be taken for a broken connection.
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect();
        client.Window = 10;
        client.Send("NONSENSE\r\n\r\n");
        client.ShutdownSend();
        server.Run();

        client.Window = long.MaxValue;
        server.Run();

        Assert.Equal([400], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    private static void Start(SimulatedServer server, TaskCompletionSource start, bool isOffLoop)
    {
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(start.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(start.SetResult);
        }

        server.Run();
    }

    private static async ValueTask WritePieces(HttpExchange exchange, Action onFlushed)
    {
        var length = (PieceSize * PieceCount).ToString(CultureInfo.InvariantCulture);
        exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", length)));
        for (var i = 0; i < PieceCount; i++)
        {
            await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(Piece(i)), MoreBody: true));
            onFlushed();
        }

        await exchange.SendAsync(default);
    }

    private static string Piece(int number) => Apps.Repeat($"{number:d15}\n", PieceSize / 16);

    private static void DemandAllPieces(SimulatedClient client)
    {
        var response = Assert.Single(Responses.Of(client));
        Assert.True(response.IsComplete);
        Assert.Equal(string.Concat(Enumerable.Range(0, PieceCount).Select(Piece)), response.Content);
    }
}
