// A stream without a protocol below it: it counts what an exchange has sent.

using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Micro;

internal sealed class NullStream : HttpStream
{
    private readonly byte[] _buffer = new byte[4096];
    private bool _hasHead;
    private long _length;

    /// <summary>Bytes of content behind a head and with an end; -1 as long as one of them is missing.</summary>
    public long SentLength { get; private set; }

    public override long? ContentLengthMax { get; set; }

    public override DataRate? RequestRateMin { get; set; }

    public override DataRate? ResponseRateMin { get; set; }

    public override bool HasReceived => false;

    public override bool HasContent => false;

    public override bool IsUpgradable => false;

    public override FieldSection? Trailers => null;

    public override bool IsBroken => false;

    public override bool CanHaveTrailers => false;

    public void Restart()
    {
        _hasHead = false;
        _length = 0;
        SentLength = -1;
    }

    public override bool TryReceive(out RequestBody body)
    {
        body = default;
        return true;
    }

    public override void AwaitContent(CancellationToken cancellationToken)
    {
    }

    public override void EndCanceledWait()
    {
    }

    public override void AdvanceTo(long consumed, long examined)
    {
    }

    public override void RequestClose()
    {
    }

    public override void CancelReceive()
    {
    }

    public override void WriteHead(in ResponseHeadDecision head) => _hasHead = true;

    public override Memory<byte> GetMemory(int sizeHint) => _buffer;

    public override void Advance(int count) => _length += count;

    public override void DropContent() => _length = 0;

    public override void WriteTrailers(ResponseFields trailers)
    {
    }

    public override bool TrySendInformational(int status, ResponseFields? fields) => true;

    public override bool TryFlush() => true;

    public override void AwaitFlush()
    {
    }

    public override void CancelFlush()
    {
    }

    public override void Complete(bool isReturning) => SentLength = _hasHead ? _length : -1;

    public override void Truncate()
    {
    }

    public override void CloseAfterResponse(ConnectionEndReason error = ConnectionEndReason.None)
    {
    }

    public override bool TryCountUpgrade() => false;

    public override void StopCountingUpgrade()
    {
    }

    public override void Upgrade()
    {
    }

    public override void WillBlock()
    {
    }

    public override void Abort(ConnectionEndReason reason)
    {
    }
}
