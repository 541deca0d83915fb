// What one connection of each attack does.

using System.Net.Sockets;
using System.Text;

namespace Endure;

internal static class Attacks
{
    /// <summary>A head that never ends, a byte a second.</summary>
    public static async Task SlowlorisAsync(AttackRun run)
    {
        RawConnection connection = await run.OpenAsync();
        try
        {
            await connection.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", run.Stop);
            Task end = run.SeeEndAsync(connection);
            while (await Task.WhenAny(end, Task.Delay(1000, run.Stop)) != end && !run.Stop.IsCancellationRequested)
                await connection.SendAsync("x", run.Stop);
            await end;
        }
        finally
        {
            run.Close(connection);
        }
    }

    /// <summary>Asks for 32 MiB and takes 100 bytes a second of it.</summary>
    public static async Task SlowReaderAsync(AttackRun run)
    {
        RawConnection connection = await run.OpenAsync(receiveBufferSize: 2048);
        try
        {
            await connection.SendAsync("GET /pieces?n=33554432 HTTP/1.1\r\nHost: a\r\n\r\n", run.Stop);
            var few = new byte[100];
            while (await connection.Socket.ReceiveAsync(few.AsMemory(), run.Stop) > 0)
                await Task.Delay(1000, run.Stop);
            run.See("FIN");
        }
        catch (SocketException)
        {
            run.See("RST");
        }
        finally
        {
            run.Close(connection);
        }
    }

    /// <summary>One request, and then nothing for as long as the server lets it.</summary>
    public static async Task IdleAsync(AttackRun run)
    {
        RawConnection connection = await run.OpenAsync();
        try
        {
            await connection.SendAsync("GET /bytes?n=100 HTTP/1.1\r\nHost: a\r\n\r\n", run.Stop);
            if (await connection.ReadResponseAsync(run.Stop) is not { Status: 200 })
                run.See("no answer to the first request");
            await run.SeeEndAsync(connection);
        }
        finally
        {
            run.Close(connection);
        }
    }

    /// <summary>Connections that are reset in every stage of a request, one after the other.</summary>
    public static async Task ResetsAsync(AttackRun run)
    {
        string[] begun =
        [
            "", "GET / HT", "GET /bytes?n=100000 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /pieces?n=9999999 HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", "GET /events?n=100 HTTP/1.1\r\nHost: a\r\n\r\n",
        ];
        for (int i = 0; i < 100 && !run.Stop.IsCancellationRequested; i++)
        {
            RawConnection connection = await run.OpenAsync();
            await connection.SendAsync(begun[i % begun.Length], run.Stop);
            if (i % 2 == 0)
                await Task.Delay(Random.Shared.Next(20), run.Stop);
            connection.Reset();
            run.Close(connection);
            run.See("reset by the client");
        }
    }

    /// <summary>Heads, lines and chunk extensions that never end, as fast as the server takes them.</summary>
    public static async Task HeaderFloodAsync(AttackRun run)
    {
        (string Name, string Start, string Repeated)[] floods =
        [
            ("field lines", "GET / HTTP/1.1\r\nHost: a\r\n", "X-Flood: 1234567890\r\n"),
            ("one field line", "GET / HTTP/1.1\r\nHost: a\r\nX-Flood: ", "1234567890"),
            ("a target", "GET /", "1234567890"),
            ("empty lines", "", "\r\n"),
            ("chunk extensions", "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", "1234567890"),
            ("trailers", "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Flood: 1234567890\r\n"),
        ];
        var flood = floods[Random.Shared.Next(floods.Length)];
        byte[] repeated = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(flood.Repeated, 100)));
        RawConnection connection = await run.OpenAsync();
        try
        {
            await connection.SendAsync(flood.Start, run.Stop);
            Task<(bool IsFin, string Before)> end = connection.ReadEndAsync(run.Stop);
            try
            {
                while (!end.IsCompleted && !run.Stop.IsCancellationRequested)
                {
                    await connection.SendAsync(repeated, run.Stop);
                    await Task.Yield(); // a send that fits does not wait, and the others want to flood too
                }
            }
            catch (SocketException)
            {
                // The server has had enough.
            }
            (bool isFin, string before) = await end;
            run.See($"{flood.Name}: {AttackRun.AnswerOf(before)}, then {(isFin ? "FIN" : "RST")}");
        }
        finally
        {
            run.Close(connection);
        }
    }
}
