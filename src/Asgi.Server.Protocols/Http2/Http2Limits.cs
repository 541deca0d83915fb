// What the HTTP/2 machine accepts from a peer. Set once per server, shared by all connections; immutable.

namespace Asgi.Server.Protocols.Http2;

internal sealed record Http2Limits
{
    public static Http2Limits Default { get; } = new();

    /// <summary>Streams that are open at a time (SETTINGS_MAX_CONCURRENT_STREAMS); beyond it REFUSED_STREAM.</summary>
    public int MaxStreamsPerConnection { get; init; } = 100;

    /// <summary>Bytes of the table of our decoder (SETTINGS_HEADER_TABLE_SIZE).</summary>
    public int HeaderTableSize { get; init; } = Http2Settings.DefaultHeaderTableSize;

    /// <summary>Bytes of the payload of a frame (SETTINGS_MAX_FRAME_SIZE), 16384 to 2^24-1.</summary>
    public int MaxFrameSize { get; init; } = Http2Frame.MinMaxPayload;

    /// <summary>Bytes of a field name, and of a field value; beyond it 431.</summary>
    public int MaxRequestHeaderFieldSize { get; init; } = 32 * 1024;

    /// <summary>
    /// Bytes of all fields of a section by the measure of RFC 9113, 6.5.2 (name, value and 32 for each), pseudo-fields included
    /// (SETTINGS_MAX_HEADER_LIST_SIZE). Beyond it 431, beyond the double the connection is closed.
    /// </summary>
    public int MaxRequestHeadersTotalSize { get; init; } = 32 * 1024;

    /// <summary>Field lines of a section, without pseudo-fields. Beyond it 431, beyond the double the connection is closed.</summary>
    public int MaxRequestHeaderCount { get; init; } = 100;

    /// <summary>Bytes of method and target, and of the 12 that HTTP/1.1 would write around them; beyond it 414.</summary>
    public int MaxRequestLineSize { get; init; } = 8 * 1024;

    /// <summary>The receive window of the connection, in bytes, at least 65535: WINDOW_UPDATE can but raise that.</summary>
    public int InitialConnectionWindowSize { get; init; } = 1024 * 1024;

    /// <summary>The receive window of each stream, in bytes (SETTINGS_INITIAL_WINDOW_SIZE).</summary>
    public int InitialStreamWindowSize { get; init; } = 768 * 1024;

    /// <summary>Whether SETTINGS_ENABLE_CONNECT_PROTOCOL is announced (RFC 8441, 3).</summary>
    public bool AllowsExtendedConnect { get; init; } = true;

    /// <summary>Whether a Host field that differs from :authority is overridden by it, rather than refused.</summary>
    public bool AllowsHostOverride { get; init; }

    /// <summary>Whether field values may have other bytes above 0x7F than UTF-8's: somebody else judges them.</summary>
    public bool AllowsAnyEncoding { get; init; }

    /// <summary>The span of time that the limits below are counted in, in milliseconds.</summary>
    public int AbuseWindowMilliseconds { get; init; } = 10_000;

    /// <summary>
    /// Streams that the peer resets, and those that we refuse it or find malformed. A page that is left resets what is loading, gRPC
    /// cancels calls; each costs a call of the application, which is what CVE-2023-44487 sold cheaply. One is forgiven for each response
    /// that is complete: proxies hand on what many clients cancel, and some clients reset each stream that is over.
    /// </summary>
    public int StreamResetsMax { get; init; } = 1000;

    /// <summary>
    /// Streams that the peer makes us reset when they are open, by breaking their rules: the same attack by another door
    /// (CVE-2025-8671). Sound peers break none. A malformed head is none of these, for a proxy may hand on those of many clients.
    /// </summary>
    public int StreamFaultsMax { get; init; } = 100;

    /// <summary>SETTINGS frames: each is owed an answer, and changes the windows of all streams. Peers send one to three.</summary>
    public int SettingsMax { get; init; } = 100;

    /// <summary>
    /// PING frames: each is owed an answer. One is forgiven for each DATA frame sent, since peers measure the round trip while they
    /// download.
    /// </summary>
    public int PingsMax { get; init; } = 1000;

    /// <summary>
    /// DATA frames without content that do not end the stream: work without end, and not held by any window. The end of a stream that we
    /// have reset is none of these.
    /// </summary>
    public int EmptyDataFramesMax { get; init; } = 100;

    /// <summary>PRIORITY frames: older browsers send a few for each resource. They are ignored.</summary>
    public int PrioritiesMax { get; init; } = 1000;

    /// <summary>Frames of unknown type, and GOAWAY: extensions and grease. They are ignored.</summary>
    public int UnknownFramesMax { get; init; } = 1000;

    /// <summary>
    /// WINDOW_UPDATE frames with less than <see cref="TinyWindowBytes"/>: larger ones are bounded by the window's own limit of 2^31-1, or
    /// by what is sent. Two are forgiven for each DATA frame that the windows did not cut down to a tiny one, so that a peer may account
    /// for small responses one by one, and may not have a large one in crumbs.
    /// </summary>
    public int TinyWindowUpdatesMax { get; init; } = 1000;

    /// <summary>Bytes below which a window's growth, or what it left of a DATA frame, is tiny.</summary>
    public int TinyWindowBytes { get; init; } = 256;

    /// <summary>
    /// CONTINUATION frames of one block beyond those it needs at 16 KiB each, empty ones included: a block of many small fragments costs
    /// more than it carries (CVE-2024-27316).
    /// </summary>
    public int ContinuationsMax { get; init; } = 16;

    /// <summary>
    /// Bytes of an encoded block: what decodes to twice the limit is refused, and no honest encoder writes more than it was given.
    /// </summary>
    public int HeaderBlockSizeMax => 2 * MaxRequestHeadersTotalSize;

    /// <summary>The bytes that the driver's buffer must be able to hold contiguously. DATA and unknown frames are read in pieces.</summary>
    public int ContiguousBytesMax => Http2Frame.HeaderSize + Math.Min(MaxFrameSize, Math.Max(HeaderBlockSizeMax, Http2Frame.MinMaxPayload));
}
