// Large content on its way from the application's memory to the socket without a copy. Called by the application, on any thread; it is done
// when the call returns, so the memory is borrowed for no longer.
using System.Buffers;

namespace Asgi;

public sealed partial class HttpExchange
{
    /// <summary>
    /// Content of so many bytes, of a response whose length is known, is offered to the socket where it lies. Copying less costs less than
    /// a send of its own.
    /// </summary>
    internal const int DirectLengthMin = 32 * 1024;

    /// <summary>Adds content: what the socket takes of it at once is sent, the rest is copied and waits for a flush.</summary>
    /// <param name="content">The content.</param>
    /// <param name="isLast">Whether no more follows.</param>
    internal void WriteContent(ReadOnlySpan<byte> content, bool isLast)
    {
        if (content.Length >= DirectLengthMin)
        {
            content = content[SendDirect(content, isLast)..];
        }

        if (!content.IsEmpty)
        {
            this.Write(content);
        }
    }

    // What is wrong with the response is found out on the usual way.
    private int SendDirect(ReadOnlySpan<byte> content, bool isLast)
    {
        var written = _written + content.Length;
        var length = _state == ResponseState.Held ? _start.Fields?.ContentLength : _contentLength;
        if (length is null || written > length || (isLast && written < length) || Scope.IsHead)
        {
            return 0;
        }

        if (_state == ResponseState.Held)
        {
            WriteHead(isWhole: false);
        }

        if (_state != ResponseState.Started || !_hasContent || _contentLength is null)
        {
            return 0;
        }

        var sent = _stream.SendDirect(content);
        _written += sent;
        return sent;
    }
}
