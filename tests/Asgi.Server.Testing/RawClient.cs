// A client that sends exactly the bytes a test wrote and reads one response at a time by the framing of RFC 9112, section 6.3.
// Called by tests, one test per client; it shares no code with the server under test.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Asgi.Server.Testing;

/// <summary>A raw TCP connection to a server on the loopback interface.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    /// <summary>What <see cref="ProbeAsync"/> asks for; the app under test answers it with any complete response.</summary>
    public const string ProbePath = "/probe";

    // Long enough for a loaded machine; no test waits it out unless it fails.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    private RawClient(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    public EndPoint LocalEndPoint => _tcp.Client.LocalEndPoint!;

    public static async Task<RawClient> ConnectAsync(IPEndPoint server)
    {
        var tcp = new TcpClient(server.AddressFamily) { NoDelay = true };
        await tcp.ConnectAsync(server).WaitAsync(Patience);
        return new RawClient(tcp);
    }

    /// <summary>Sends one request on a fresh connection, reads its response, and asks whether the connection stayed open.</summary>
    public static async Task<RawExchange> ExchangeAsync(IPEndPoint server, string request)
    {
        await using var client = await ConnectAsync(server);
        await client.SendAsync(request);
        var response = await client.ReadResponseAsync(request.Split(' ', 2)[0]);
        var open = response is { IsComplete: true, EndsWithClose: false } && await client.ProbeAsync();
        return new RawExchange(response, open);
    }

    /// <summary>Sends each character as the byte of the same number, so a literal can hold any byte.</summary>
    public Task SendAsync(string bytes) => SendAsync(Encoding.Latin1.GetBytes(bytes));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes).AsTask().WaitAsync(Patience);
        }
        catch (IOException)
        {
            // The server has closed already; what it said before that is still to be read.
        }
    }

    /// <summary>Sends FIN and keeps reading (a half-close).</summary>
    public void ShutdownSend() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with RST, as a client does that has crashed.</summary>
    public void Reset()
    {
        _tcp.Client.LingerState = new LingerOption(enable: true, seconds: 0);
        _tcp.Client.Close();
    }

    /// <summary>Whether the connection still serves: a second request on it gets a complete response.</summary>
    public async Task<bool> ProbeAsync()
    {
        await SendAsync($"GET {ProbePath} HTTP/1.1\r\nHost: probe\r\n\r\n");
        return await ReadResponseAsync() is { IsComplete: true };
    }

    /// <summary>The next final response with the interim ones before it, or null if the connection ended first.</summary>
    /// <param name="method">The request's method: content is not sent for all of them.</param>
    public async Task<RawResponse?> ReadResponseAsync(string method = "GET")
    {
        var interim = new List<RawResponse>();
        while (true)
        {
            if (await ReadHeadAsync() is not { } response)
                return null;
            if (response.Status is >= 100 and < 200 and not 101)
            {
                interim.Add(response);
                continue;
            }
            response.Interim = interim;
            await ReadContentAsync(response, method);
            return response;
        }
    }

    /// <summary>Reads one head only: the interim response, or the final one whose content the test reads itself.</summary>
    public async Task<RawResponse?> ReadHeadAsync()
    {
        if (await ReadLineAsync() is not { } statusLine)
            return null;
        var response = new RawResponse(statusLine);
        return await ReadFieldsAsync(response.Fields) ? response : null;
    }

    /// <summary>Exactly this many bytes as text, or fewer if the connection ended.</summary>
    public async Task<string> ReadBytesAsync(int count)
    {
        while (_end - _start < count && await FillAsync())
        {
        }
        return Encoding.Latin1.GetString(Take(Math.Min(count, _end - _start)));
    }

    /// <summary>Everything until the server closes; a reset ends it too.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }
        return Encoding.Latin1.GetString(Take(_end - _start));
    }

    /// <summary>The next chunk's data (RFC 9112, section 7.1), empty at the last one, null if the connection ended.</summary>
    public async Task<string?> ReadChunkAsync()
    {
        if (await ReadLineAsync() is not { } sizeLine)
            return null;
        var size = int.Parse(sizeLine.Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (size == 0)
            return "";
        var data = await ReadBytesAsync(size);
        return data.Length == size && await ReadLineAsync() is "" ? data : null;
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }

    // RFC 9112, section 6.3, in its order.
    private async Task ReadContentAsync(RawResponse response, string method)
    {
        if (response.Status is 101 or 204 or 304 || method == "HEAD" || (method == "CONNECT" && response.Status is >= 200 and < 300))
            response.IsComplete = true;
        else if (response.Field("Transfer-Encoding") is { } coding)
            await ReadCodedAsync(response, coding);
        else if (response.Field("Content-Length") is { } length)
        {
            var count = int.Parse(length, CultureInfo.InvariantCulture);
            response.Content = await ReadBytesAsync(count);
            response.IsComplete = response.Content.Length == count;
        }
        else
        {
            response.Content = await ReadToEndAsync();
            response.IsComplete = response.EndsWithClose = true;
        }
    }

    private async Task ReadCodedAsync(RawResponse response, string coding)
    {
        Assert.True(coding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase), $"cannot read Transfer-Encoding: {coding}");
        while (await ReadChunkAsync() is { } chunk)
        {
            if (chunk.Length == 0)
            {
                response.IsComplete = await ReadFieldsAsync(response.Trailers);
                break;
            }
            response.Chunks.Add(chunk);
        }
        response.Content = string.Concat(response.Chunks);
    }

    private async Task<bool> ReadFieldsAsync(List<KeyValuePair<string, string>> fields)
    {
        while (await ReadLineAsync() is { } line)
        {
            if (line.Length == 0)
                return true;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.True(colon > 0, $"not a field line: {line}");
            fields.Add(new(line[..colon], line[(colon + 1)..].Trim(' ')));
        }
        return false;
    }

    // A server's line ends with CRLF; a bare LF stays in the line and fails the test that compares it.
    private async Task<string?> ReadLineAsync()
    {
        var searched = 0;
        while (true)
        {
            var index = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf("\r\n"u8);
            if (index >= 0)
            {
                var line = Encoding.Latin1.GetString(Take(searched + index));
                _start += 2;
                return line;
            }
            searched = Math.Max(0, _end - _start - 1);
            if (!await FillAsync())
                return null;
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        _start += count;
        return _buffer.AsSpan(_start - count, count);
    }

    private async Task<bool> FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        try
        {
            var read = await _stream.ReadAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(Patience);
            _end += read;
            return read > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
