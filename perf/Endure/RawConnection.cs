// One connection of a client that may be as well- or ill-behaved as it likes: a socket, and responses by the framing of RFC 9112, 6.3.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Endure;

/// <summary>A response as it came.</summary>
internal sealed record Response(int Status, string Head, byte[] Content)
{
    public string Text => Encoding.Latin1.GetString(Content);

    public bool Closes => Head.Contains("\r\nConnection: close\r\n", StringComparison.OrdinalIgnoreCase);
}

internal sealed class RawConnection(Socket socket) : IDisposable
{
    private byte[] _bytes = new byte[4096];
    private int _start;
    private int _end;

    public Socket Socket { get; } = socket;

    public static async Task<RawConnection> OpenAsync(IPEndPoint server, CancellationToken stop, int receiveBufferSize = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferSize > 0)
            socket.ReceiveBufferSize = receiveBufferSize;
        try
        {
            await socket.ConnectAsync(server, stop);
            return new RawConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask SendAsync(string text, CancellationToken stop) => SendAsync(Encoding.Latin1.GetBytes(text), stop);

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await Socket.SendAsync(bytes, stop)..];
    }

    /// <summary>The next response, or null if the connection ends before it is whole.</summary>
    public async Task<Response?> ReadResponseAsync(CancellationToken stop)
    {
        int length;
        while ((length = _bytes.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await ReceiveAsync(stop))
                return null;
        }
        string head = Encoding.Latin1.GetString(_bytes, _start, length + 4);
        _start += length + 4;
        int status = int.Parse(head.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        byte[]? content = Field(head, "Content-Length") is { } size
            ? await TakeAsync(int.Parse(size, CultureInfo.InvariantCulture), stop)
            : Field(head, "Transfer-Encoding") is null ? [] : await TakeChunksAsync(stop);
        return content is null ? null : new Response(status, head, content);
    }

    /// <summary>Reads until the connection ends, and tells whether by FIN (or else RST) and with what before it.</summary>
    public async Task<(bool IsFin, string Before)> ReadEndAsync(CancellationToken stop)
    {
        try
        {
            while (await ReceiveAsync(stop))
            {
            }
            return (true, Encoding.Latin1.GetString(_bytes, _start, _end - _start));
        }
        catch (SocketException)
        {
            return (false, Encoding.Latin1.GetString(_bytes, _start, _end - _start));
        }
    }

    /// <summary>Ends with RST.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();

    private static string? Field(string head, string name)
    {
        int start = head.IndexOf($"\r\n{name}:", StringComparison.OrdinalIgnoreCase);
        return start < 0 ? null : head[(start + name.Length + 3)..head.IndexOf("\r\n", start + 2, StringComparison.Ordinal)].Trim();
    }

    private async Task<byte[]?> TakeChunksAsync(CancellationToken stop)
    {
        var content = new List<byte>();
        while (true)
        {
            int length;
            while ((length = _bytes.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
            {
                if (!await ReceiveAsync(stop))
                    return null;
            }
            string digits = Encoding.Latin1.GetString(_bytes, _start, length);
            int size = int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            _start += length + 2;
            if (await TakeAsync(size + 2, stop) is not { } chunk)
                return null;
            if (size == 0)
                return [.. content];
            content.AddRange(chunk.AsSpan(0, size));
        }
    }

    private async Task<byte[]?> TakeAsync(int length, CancellationToken stop)
    {
        while (_end - _start < length)
        {
            if (!await ReceiveAsync(stop))
                return null;
        }
        _start += length;
        return _bytes[(_start - length).._start];
    }

    private async Task<bool> ReceiveAsync(CancellationToken stop)
    {
        if (_end == _bytes.Length)
        {
            byte[] target = _end - _start > _bytes.Length / 2 ? new byte[_bytes.Length * 2] : _bytes;
            _bytes.AsSpan(_start, _end - _start).CopyTo(target);
            (_bytes, _start, _end) = (target, 0, _end - _start);
        }
        int received = await Socket.ReceiveAsync(_bytes.AsMemory(_end), stop);
        _end += received;
        return received > 0;
    }
}
