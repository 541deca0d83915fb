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
        var length = _state == ResponseState.Held ? AnnouncedLength() : _hasContent ? _contentLength : null;
        if (length is null || written > length || (isLast && written < length))
        {
            return 0;
        }

        if (_state == ResponseState.Held)
        {
            WriteHead(isWhole: false);
        }

        var sent = _stream.SendDirect(content);
        _written += sent;
        return sent;
    }

    // Of a response that is only held: the length of content that will follow its head as it is; null when there is none.
    private long? AnnouncedLength() =>
        Scope.IsHead
            || !ResponseRules.MayHaveContent(_start.Status)
            || _start.Fields is not { } fields
            || (fields.Traits & ResponseFieldTraits.HasTransferEncoding) != 0
            ? null
            : fields.ContentLength;
}
