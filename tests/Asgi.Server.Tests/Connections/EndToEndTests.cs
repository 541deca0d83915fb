// Random well-formed requests over a random network to an application that answers each in a random way: every response is as it
// must be, and nothing is left.

using System.Globalization;
using System.Text;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class EndToEndTests
{
    private const int SeedCount = 50;

    [Fact]
    public void Every_request_gets_its_response() => Seeds.Run(SeedCount, seed =>
    {
        var random = new Random(seed);
        var hops = new Hops();
        var conditions = NetworkConditions.Of(seed, segmentLengthMin: random.Next(1, 100));
        using var server = new SimulatedServer(exchange => Serve(exchange, hops), seed, conditions: conditions);
        var conversations = Enumerable.Range(0, random.Next(1, 5)).Select(_ => new Conversation(server.Connect(), random)).ToArray();

        while (conversations.Any(conversation => conversation.SendSome()))
        {
            if (random.Next(2) == 0)
            {
                hops.RunAll(server);
            }
            else
            {
                server.Tick();
            }
        }

        hops.RunAll(server);
        foreach (var conversation in conversations)
        {
            conversation.OpenWindow();
            hops.RunAll(server);
            conversation.DemandAllAnswered();
        }

        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    // What the path says: how to answer, and whether to leave the loop in between.
    private static async ValueTask Serve(HttpExchange exchange, Hops hops)
    {
        var path = exchange.Scope.Path;
        if (path.Contains("hop", StringComparison.Ordinal))
        {
            await hops.Next();
        }

        if (path.StartsWith("/ignore", StringComparison.Ordinal))
        {
            await Apps.Path(exchange);
        }
        else if (path.StartsWith("/echo", StringComparison.Ordinal))
        {
            await Apps.Echo(exchange);
        }
        else if (path.StartsWith("/whole", StringComparison.Ordinal))
        {
            await Apps.EchoWhole(exchange);
        }
        else
        {
            var content = await Apps.ReadAll(exchange);
            var length = content.Length.ToString(CultureInfo.InvariantCulture);
            exchange.Send(new ResponseStart(200, new FieldList().Add("Content-Length", length)));
            foreach (var piece in content.Chunk(3000))
            {
                await exchange.SendAsync(new ResponseBody(Encoding.Latin1.GetBytes(piece), MoreBody: true));
            }

            await exchange.SendAsync(default);
        }
    }

    private sealed record Request(string Method, string Path, string Content)
    {
        public void Demand(RawResponse response)
        {
            var expected = Path.StartsWith("/ignore", StringComparison.Ordinal) ? Path : Content;
            Assert.Equal("HTTP/1.1 200 OK", response.StatusLine);
            Assert.True(response.IsComplete);
            Assert.Equal(Method == "HEAD" ? "" : expected, response.Content);
            Assert.Equal(SimulatedServer.Date, response.Field("Date"));
            if (Method != "HEAD")
            {
                var isChunked = Path.StartsWith("/echo", StringComparison.Ordinal);
                Assert.Equal(isChunked ? "chunked" : $"length {expected.Length}", response.Framing);
            }
        }
    }

    private sealed class Conversation
    {
        private readonly SimulatedClient _client;
        private readonly Random _random;
        private readonly List<Request> _requests = [];
        private readonly string _bytes;
        private int _sent;

        public Conversation(SimulatedClient client, Random random)
        {
            _client = client;
            _random = random;
            var bytes = new StringBuilder();
            for (var i = random.Next(1, 20); i > 0; i--)
            {
                Add(bytes);
            }

            _bytes = bytes.ToString();
            client.Window = random.Next(2) == 0 ? long.MaxValue : 0;
        }

        public bool SendSome()
        {
            if (_sent == _bytes.Length)
            {
                return false;
            }

            var count = _random.Next(1, _bytes.Length - _sent + 1);
            _client.Send(_bytes.Substring(_sent, count));
            _sent += count;
            _client.Window = _client.Window > int.MaxValue ? _client.Window : _client.Window + _random.Next(1000);
            return true;
        }

        public void OpenWindow() => _client.Window = long.MaxValue;

        public void DemandAllAnswered()
        {
            var responses = Responses.Of(_client, [.. _requests.Select(request => request.Method)]);
            Assert.Equal(_requests.Count, responses.Count);
            foreach (var (request, response) in _requests.Zip(responses))
            {
                request.Demand(response);
            }
        }

        private void Add(StringBuilder bytes)
        {
            string[] paths = ["/ignore", "/echo", "/whole", "/pieces"];
            var path = paths[_random.Next(paths.Length)] + (_random.Next(3) == 0 ? "/hop" : "");
            var framing = _random.Next(3);
            var length = framing == 0 ? 0 : _random.Next(10) == 0 ? _random.Next(60_000) : _random.Next(300);
            var content = string.Create(length, _random, static (text, random) =>
            {
                for (var i = 0; i < text.Length; i++)
                {
                    text[i] = (char)random.Next(256);
                }
            });
            var request = new Request(framing == 0 && _random.Next(2) == 0 ? "HEAD" : "POST", path, content);
            _requests.Add(request);
            bytes.Append(CultureInfo.InvariantCulture, $"{request.Method} {path} HTTP/1.1\r\nHost: a\r\n");
            switch (framing)
            {
                case 0:
                    bytes.Append("\r\n");
                    break;
                case 1:
                    bytes.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n\r\n{content}");
                    break;
                default:
                    bytes.Append("Transfer-Encoding: chunked\r\n\r\n");
                    AddChunks(bytes, content);
                    break;
            }
        }

        private void AddChunks(StringBuilder bytes, string content)
        {
            for (var start = 0; start < content.Length;)
            {
                var count = _random.Next(1, content.Length - start + 1);
                var extension = _random.Next(4) == 0 ? ";name=value" : "";
                bytes.Append(CultureInfo.InvariantCulture, $"{count:X}{extension}\r\n{content.AsSpan(start, count)}\r\n");
                start += count;
            }

            bytes.Append(_random.Next(4) == 0 ? "0\r\nTrailer: value\r\n\r\n" : "0\r\n\r\n");
        }
    }
}
