// Files as content on the simulated loop: framing (RFC 9112, sections 6 and 7), order, back-pressure, clients that leave, files that
// change, and that every file is closed.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class FileTests : IDisposable
{
    private const int Length = 300_000;
    private const string Chunked = "chunked";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("files");
    private readonly string _path;
    private readonly string _content;

    public FileTests()
    {
        var bytes = new byte[Length];
        new Random(1).NextBytes(bytes);
        _path = Path.Combine(_folder.FullName, "large");
        _content = Encoding.Latin1.GetString(bytes);
        File.WriteAllBytes(_path, bytes);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_is_the_last_content_and_gives_the_length(bool isOffLoop) => Run(isOffLoop, (exchange, _) =>
    {
        exchange.Send(new ResponseStart(200));
        return exchange.SendAsync(new ResponseFile(_path));
    }, response =>
    {
        Assert.Equal($"length {Length}", response.Framing);
        Assert.Equal(_content, response.Content);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_and_files_keep_their_order(bool isOffLoop) => Run(isOffLoop, async (exchange, hop) =>
    {
        exchange.Send(new ResponseStart(200));
        await exchange.SendAsync(Text("before "));
        await hop();
        await exchange.SendAsync(new ResponseFile(_path, 1, 20_000) { MoreBody = true });
        await exchange.SendAsync(Text(" between "));
        await exchange.SendAsync(new ResponseFile(_path, 5, 10) { MoreBody = true });
        await hop();
        await exchange.SendAsync(new ResponseFile(_path, 100_000, 50_000) { MoreBody = true });
        await exchange.SendAsync(Text(" after"));
        await exchange.SendAsync(default);
    }, response =>
    {
        Assert.Equal(Chunked, response.Framing);
        Assert.Equal(
            $"before {_content[1..20_001]} between {_content[5..15]}{_content[100_000..150_000]} after", response.Content);
        Assert.Contains(_content[1..20_001], response.Chunks);
        Assert.Contains(_content[100_000..150_000], response.Chunks);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_the_application_has_opened_is_its_own_to_close(bool isOffLoop) => Run(isOffLoop, async (exchange, _) =>
    {
        using var file = File.OpenHandle(_path);
        exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", "200000")));
        await exchange.SendAsync(new ResponseFile(file, 0, 100_000) { MoreBody = true });
        await exchange.SendAsync(new ResponseFile(file, 200_000));
        Assert.False(file.IsClosed);
    }, response =>
    {
        Assert.Equal("length 200000", response.Framing);
        Assert.Equal(_content[..100_000] + _content[200_000..], response.Content);
    });

    [Fact]
    public void A_head_request_gets_the_length_and_no_file() => Seeds.Run(5, seed =>
    {
        using var server = new SimulatedServer(
            exchange =>
            {
                exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", $"{Length}")));
                return exchange.SendAsync(new ResponseFile(_path));
            },
            seed);
        var client = server.Connect("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");

        var response = Assert.Single(Responses.Of(client, "HEAD"));

        Assert.Equal($"length {Length}", response.Framing);
        Assert.EndsWith("\r\n\r\n", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    });

    [Fact]
    public void To_HTTP_1_0_a_file_without_a_length_ends_with_the_connection() => Seeds.Run(5, seed =>
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseFile(_path) { MoreBody = true });
                await exchange.SendAsync(default);
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect("GET / HTTP/1.0\r\n\r\n");

        var response = Assert.Single(Responses.Of(client));

        Assert.Equal("close", response.Framing);
        Assert.Equal(_content, response.Content);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Pipelined_requests_wait_for_the_file() => Seeds.Run(20, seed =>
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseFile(_path, 0, exchange.Scope.Path == "/large" ? Length : 100));
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var requests = Enumerable.Range(0, 6).Select(i => $"GET {(i % 2 == 0 ? "/large" : "/small")} HTTP/1.1\r\nHost: a\r\n\r\n");

        var client = server.Connect(string.Concat(requests));

        Assert.Equal(
            [_content, _content[..100], _content, _content[..100], _content, _content[..100]],
            Responses.Of(client).Select(response => response.Content));
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_send_completes_when_the_client_has_room_for_all_of_the_file(bool isOffLoop) => Seeds.Run(10, seed =>
    {
        var isSent = false;
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                await exchange.SendAsync(new ResponseFile(_path) { MoreBody = true });
                isSent = true;
                await exchange.SendAsync(default);
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000) with { SendCapacity = 1000 });
        var client = server.Connect();
        client.Window = Length - 2000;
        client.Send(Apps.Get);
        hops.RunAll(server);
        Assert.False(isSent);
        Assert.Equal((Length - 2000, 1), (client.ReceivedLength, OpenCount()));

        client.Window = 2000 + 500;
        hops.RunAll(server);
        Assert.True(isSent);
        Assert.Equal(0, OpenCount());

        client.Window = long.MaxValue;
        hops.RunAll(server);
        Assert.Equal(_content, Assert.Single(Responses.Of(client)).Content);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void A_client_that_leaves_closes_the_file(bool isOffLoop, bool isReset) => Seeds.Run(20, seed =>
    {
        var isDone = false;
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseFile(_path) { MoreBody = true });
                await exchange.SendAsync(new ResponseFile(_path));
                isDone = true;
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = seed * 5000;
        client.Send(Apps.Get);
        hops.RunAll(server);

        if (isReset)
        {
            client.Reset();
        }
        else
        {
            server.AbortAll();
        }

        hops.RunAll(server);

        Assert.True(isDone);
        Assert.Equal((0, 0, 0), (server.ConnectionCount, server.BlockCount, OpenCount()));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_that_takes_nothing_of_a_file_is_too_slow()
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(new ResponseFile(_path));
        });
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal(1, OpenCount());

        server.Advance((SendRate.CreditMax + 1000) * 1000L / 240);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(10_000);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_cancelled_send_breaks_the_connection()
    {
        using var cancel = new CancellationTokenSource();
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            error = await Record.ExceptionAsync(() => exchange.SendAsync(new ResponseFile(_path), cancel.Token).AsTask());
        });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        Assert.Null(error);

        cancel.Cancel();
        server.Run();

        Assert.IsAssignableFrom<OperationCanceledException>(error);
        Assert.Equal((ConnectionEnd.Reset, 0), (client.End, OpenCount()));
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_becomes_shorter_while_it_is_sent_breaks_the_connection(bool isChunked)
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(new ResponseFile(_path) { MoreBody = isChunked });
        });
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Get);
        server.Run();

        using (var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            RandomAccess.SetLength(file, 150_000);
        }

        client.Window = long.MaxValue;
        server.Run();

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.False(Assert.Single(Responses.Of(client)).IsComplete);
        Assert.Single(server.Log.Entries, entry => entry.Id == 105 && entry.Level == LogLevel.Warning);
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_file_larger_than_a_turn_lets_other_connections_have_theirs()
    {
        const int LargeLength = (4 * Connection.FileBytesPerTurnMax) + 1;
        var path = Path.Combine(_folder.FullName, "sparse");
        File.WriteAllBytes(path, new byte[LargeLength]);
        var order = new List<string>();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await (exchange.Scope.Path == "/file"
                    ? exchange.SendAsync(new ResponseFile(path))
                    : exchange.SendAsync(new ResponseBody("x"u8.ToArray())));
                order.Add(exchange.Scope.Path);
            },
            conditions: NetworkConditions.Calm with { SendCapacity = int.MaxValue });
        var first = server.Connect();
        var second = server.Connect();
        first.Send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
        server.Tick();
        server.Tick();
        server.Tick();
        second.Send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");

        server.Run();

        Assert.Equal(["/other", "/file"], order);
        Assert.Equal(LargeLength, Assert.Single(Responses.Of(first)).Content.Length);
        server.DemandNothingLeft();
    }

    public static TheoryData<string, long, long?> BadRanges => new()
    {
        { "large", -1, null },
        { "large", Length + 1, null },
        { "large", 0, -1 },
        { "large", 0, Length + 1 },
        { "large", Length, 1 },
        { "missing", 0, null },
    };

    [Theory]
    [MemberData(nameof(BadRanges))]
    public void A_bad_range_is_told_before_the_response_begins(string name, long offset, long? count)
    {
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            var file = new ResponseFile(Path.Combine(_folder.FullName, name), offset, count);
            var error = await Record.ExceptionAsync(() => exchange.SendAsync(file).AsTask());
            await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(error?.GetType().Name ?? "none")));
        });

        var client = server.Connect(Apps.Get);

        var expected = name == "missing" ? nameof(FileNotFoundException) : nameof(ArgumentOutOfRangeException);
        Assert.Equal(expected, Assert.Single(Responses.Of(client)).Content);
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData((16 * 1024) + 1)]
    public void A_part_of_any_size_is_sent(int count) => Run(isOffLoop: false, (exchange, _) =>
    {
        exchange.Send(new ResponseStart(200));
        return exchange.SendAsync(new ResponseFile(_path, Length - count, count));
    }, response =>
    {
        Assert.Equal($"length {count}", response.Framing);
        Assert.Equal(_content[(Length - count)..], response.Content);
    });

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void More_than_the_announced_length_is_refused_and_closes_the_file(int count)
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", $"{count - 1}")));
            error = await Record.ExceptionAsync(() => exchange.SendAsync(new ResponseFile(_path, 0, count)).AsTask());
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal(500, Assert.Single(Responses.Of(client)).Status);
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_file_that_was_refused_does_not_count_as_content()
    {
        Exception? error = null;
        using var server = HostedDelegate.Serve(async context =>
        {
            context.Response.ContentLength = 10;
            error = await Record.ExceptionAsync(() => context.Response.SendFileAsync(_path));
            context.Response.ContentLength = null;
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        var response = Assert.Single(Responses.Of(client));
        Assert.Equal("length 0", response.Framing);
        Assert.Equal(0, OpenCount());
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_file_of_a_kernels_own_is_read_to_its_end()
    {
        const string Special = "/proc/self/status";
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(new ResponseFile(Special));
        });
        var client = server.Connect(Apps.Get);

        server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);

        Assert.StartsWith("Name:", Responses.Of(client)[0].Content, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    private static ResponseBody Text(string text) => new(Encoding.Latin1.GetBytes(text), MoreBody: true);

    private void Run(bool isOffLoop, Func<HttpExchange, Func<Task>, ValueTask> application, Action<RawResponse> check) =>
        Seeds.Run(15, seed =>
        {
            var hops = new Hops();
            Task Hop() => isOffLoop ? hops.Next() : Task.CompletedTask;
            using var server = new SimulatedServer(
                async exchange =>
                {
                    await Hop();
                    await application(exchange, Hop);
                },
                seed,
                conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
            var client = server.Connect(Apps.Get + Apps.Get);

            hops.RunAll(server);

            var responses = Responses.Of(client);
            Assert.Equal(2, responses.Count);
            Assert.All(responses, response => Assert.True(response.IsComplete));
            Assert.All(responses, check);
            Assert.Equal((0, 0), (server.BlockCount, OpenCount()));
            server.DemandNothingLeft();
        });

    // Descriptors of this process that refer to this test's files: other tests have their own.
    private int OpenCount() => Directory.GetFiles("/proc/self/fd")
        .Count(descriptor => new FileInfo(descriptor).LinkTarget?.StartsWith(_folder.FullName, StringComparison.Ordinal) == true);
}
