// The server's side of HTTP/2 (RFC 9113) as a machine over bytes.

using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

internal sealed class Http2Machine(Http2Limits limits)
{
    public Http2Limits Limits { get; } = limits;

    public Http2StreamState? Stream { get; private set; }

    public ByteRange Content { get; private set; }

    public bool EndStream { get; private set; }

    public Http2Fault? Fault { get; private set; }

    public int FaultStreamId { get; private set; }

    public Http2ErrorCode ErrorCode { get; private set; }

    public ulong PingOpaque { get; private set; }

    public int LastStreamId { get; private set; }

    public Http2Settings PeerSettings { get; } = new();

    public int ConnectionSendWindow { get; private set; }

    public int OpenStreamCount { get; private set; }

    public bool IsMidBlock => throw new NotImplementedException();

    public Http2Event Read(Span<byte> input, long nowMilliseconds, out int consumed) => throw new NotImplementedException();

    public int GetSendable(Http2StreamState stream) => throw new NotImplementedException();

    public void SentHeaders(Http2StreamState stream, bool endStream) => throw new NotImplementedException();

    public void SentData(Http2StreamState stream, int length, bool endStream) => throw new NotImplementedException();

    public void SentReset(Http2StreamState stream) => throw new NotImplementedException();

    public (int StreamIncrement, int ConnectionIncrement) Consumed(Http2StreamState stream, int bytes) => throw new NotImplementedException();

    public int TakeConnectionIncrement() => throw new NotImplementedException();

    public void Release(Http2StreamState stream) => throw new NotImplementedException();

    public int FinishGoAway() => throw new NotImplementedException();
}
