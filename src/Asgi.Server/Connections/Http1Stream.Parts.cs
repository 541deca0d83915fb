// What a response may have besides its head and its bytes: files, trailers, interim responses before it. Called by the exchange, on the
// application's thread.
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Protocols.Http1;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream
{
    private FileRange? _lastFile;
    private bool _isChunked;

    public override bool CanSendFiles => _connection.Transport.CanSendFiles;

    public override bool CanHaveTrailers => _isHeadWritten ? _isChunked : _machine.Head.IsHttp11;

    private bool IsFileUnsent => Volatile.Read(ref _lastFile) is { IsDone: false };

    public override int SendDirect(ReadOnlySpan<byte> content)
    {
        // A chunk says its size before it is known how much of it will be sent.
        if (_isChunked)
        {
            return 0;
        }

        using var entry = _loop.Enter();
        if (!entry.IsInside)
        {
            return 0;
        }

        _output.CloseContent();
        MoveOutput();
        return _connection.SendDirect(content);
    }

    public override void WriteFile(SafeFileHandle file, long offset, long count, bool ownsHandle) =>
        Volatile.Write(ref _lastFile, _output.AddFile(file, offset, count, ownsHandle));

    public override void WriteTrailers(ResponseFields trailers)
    {
        if (_output.WriteTrailers(trailers) is { } invalid)
        {
            throw CannotBeSent(invalid);
        }
    }

    public override bool TrySendInformational(int status, ResponseFields? fields)
    {
        if (!_machine.Head.IsHttp11)
        {
            // HTTP/1.0 knows none (RFC 9110, section 15.2).
            return true;
        }

        var block = _output.WriteHeadApart(new ResponseHead { Status = status }, fields, out var length, out var invalid);
        if (block is null)
        {
            throw CannotBeSent(invalid!);
        }

        if (status == 100 && !_content.TryContinue())
        {
            _loop.Blocks.Return(block);
            return true;
        }

        _output.AddHead(block, length);
        return TrySend();
    }

    private static InvalidOperationException CannotBeSent(string field) =>
        new($"'{field}' has a character that must not be sent in a response (RFC 9110, section 5.5).");
}
