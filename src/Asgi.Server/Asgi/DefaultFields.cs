// The fields the server adds to every response, Date and Server, as bytes of HTTP/1 field lines, built once a second; HTTP/2 takes the
// values. Any thread.
using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi;

/// <summary>Date (RFC 9110, section 6.6.1) and Server (section 10.2.4).</summary>
internal sealed class DefaultFields(TimeProvider time, string? serverName)
{
    private readonly byte[] _server = serverName is null ? [] : Encoding.ASCII.GetBytes($"Server: {serverName}\r\n");
    private Second _current = new([], 0, 0);

    private static ReadOnlySpan<byte> DateName => "Date: "u8;

    private static ReadOnlySpan<byte> ServerName => "Server: "u8;

    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    /// <summary>The lines to add to a response whose own fields have these traits.</summary>
    public ReadOnlyMemory<byte> GetLines(ResponseFieldTraits traits)
    {
        var second = GetSecond();
        var start = (traits & ResponseFieldTraits.HasDate) == 0 ? 0 : second.DateLength;
        var end = (traits & ResponseFieldTraits.HasServer) == 0 ? second.Lines.Length : second.DateLength;
        return second.Lines.AsMemory(start, Math.Max(0, end - start));
    }

    /// <summary>The values alone, each empty where a response has its own.</summary>
    public (ReadOnlyMemory<byte> Date, ReadOnlyMemory<byte> Server) GetValues(ResponseFieldTraits traits)
    {
        var second = GetSecond();
        var date = (traits & ResponseFieldTraits.HasDate) != 0
            ? default
            : second.Lines.AsMemory(DateName.Length, second.DateLength - DateName.Length - LineEnd.Length);
        var server = (traits & ResponseFieldTraits.HasServer) != 0 || _server.Length == 0
            ? default
            : _server.AsMemory(ServerName.Length, _server.Length - ServerName.Length - LineEnd.Length);
        return (date, server);
    }

    // The coarse tick count decides whether the second may have changed: reading the wall clock costs several times as much.
    private Second GetSecond()
    {
        var current = Volatile.Read(ref _current);
        var now = Environment.TickCount64;
        if (now >= current.ExpiresAtMilliseconds)
        {
            current = Build(now);
            Volatile.Write(ref _current, current);
        }

        return current;
    }

    private Second Build(long now)
    {
        var wall = time.GetUtcNow();
        var lines = new byte[DateName.Length + HttpDate.Size + LineEnd.Length + _server.Length];
        DateName.CopyTo(lines);
        HttpDate.Format(wall, lines.AsSpan(DateName.Length, HttpDate.Size));
        var dateLength = lines.Length - _server.Length;
        LineEnd.CopyTo(lines.AsSpan(dateLength - LineEnd.Length));
        _server.CopyTo(lines, dateLength);
        return new Second(lines, dateLength, now + 1000 - wall.Millisecond);
    }

    private sealed record Second(byte[] Lines, int DateLength, long ExpiresAtMilliseconds);
}
