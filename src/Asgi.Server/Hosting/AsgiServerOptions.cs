// The options of the server, shaped as Kestrel's, so that a ConfigureKestrel lambda moves over. Read once when the server starts.
// Values are here, endpoints in AsgiServerOptions.Endpoints.cs.
using System.Text;
using Asgi.Server.Application;

namespace Asgi.Server;

/// <summary>
/// The options of <see cref="AsgiServer"/>, set by the configuration, by <c>UseAsgiServer(options => ...)</c> or by
/// <c>services.Configure&lt;AsgiServerOptions&gt;</c>. Changes after the server has started have no effect.
/// </summary>
public sealed partial class AsgiServerOptions
{
    /// <summary>Limits of sizes, counts and times.</summary>
    public AsgiServerLimits Limits { get; } = new();

    /// <summary>
    /// What a client's FIN means while its request is being answered. Default <see cref="HalfCloseBehavior.Respond"/>.
    /// </summary>
    public HalfCloseBehavior HalfClose
    {
        get;
        set
        {
            if (!Enum.IsDefined(value))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Respond or Abort.");
            }

            field = value;
        }
    }

    /// <summary>Whether responses that have no Server field get one. Default true.</summary>
    public bool AddServerHeader { get; set; } = true;

    /// <summary>
    /// Event loops to run, each a thread that owns its share of the connections. 1 to 1,024; default one for each processor the process may
    /// use.
    /// </summary>
    public int LoopCount
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            field = value;
        }
    } = Environment.ProcessorCount;

    /// <summary>Where application code starts to run. Default <see cref="RequestDispatch.Adaptive"/>.</summary>
    public RequestDispatch Dispatch
    {
        get;
        set
        {
            if (!Enum.IsDefined(value))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Adaptive, Inline or ThreadPool.");
            }

            field = value;
        }
    }

    /// <summary>
    /// How long application code may hold its event loop before the loop goes on with another thread, in whole milliseconds; noticed up to
    /// a fifth later. With <see cref="RequestDispatch.Adaptive"/> only. 1 millisecond to 1 minute; default 10 milliseconds.
    /// </summary>
    public TimeSpan HandOffThreshold
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(1));
            field = value;
        }
    } = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Requests of blocking routes that run at the same time, each on a thread beside the loops. Threads are made when needed and end after
    /// 20 seconds without work. 1 to 32,767; default 256.
    /// </summary>
    public int MaxSpareThreads
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, short.MaxValue);
            field = value;
        }
    } = 256;

    /// <summary>
    /// Requests of blocking routes that may wait for a spare thread; one more is answered with 503 and Retry-After. At least 0; default
    /// 10,000.
    /// </summary>
    public int MaxQueuedRequests
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 10_000;

    /// <summary>
    /// Whether request and response streams may be read and written synchronously, which blocks a thread. Default false; a request may
    /// change it with IHttpBodyControlFeature.
    /// </summary>
    public bool AllowSynchronousIO { get; set; }

    /// <summary>
    /// Whether each response is told in one line of the log: category <c>Asgi.Server.AccessLog</c>, level Information, with the client's
    /// address, the request line, the status, the bytes of content and the milliseconds taken. Default false.
    /// </summary>
    public bool AccessLog { get; set; }

    /// <summary>
    /// Whether a Host field that differs from the authority of an absolute-form request target is overridden by that authority, as RFC
    /// 9112, section 3.2.2, asks of a proxy. Default false: such a request is answered with 400.
    /// </summary>
    public bool AllowHostHeaderOverride { get; set; }

    /// <summary>
    /// Whether response fields of HTTP/2 are compressed with a table of what was sent before (HPACK's dynamic table; RFC 7541, section
    /// 2.3.2). Default true; false keeps a secret in a response field from being guessed by the size of others (RFC 7541, section 7.1).
    /// </summary>
    public bool AllowResponseHeaderCompression { get; set; } = true;

    /// <summary>
    /// Whether the :scheme of an HTTP/2 request may differ from the connection's, as behind a proxy that ends TLS. Default false: such a
    /// request is reset.
    /// </summary>
    public bool AllowAlternateSchemes { get; set; }

    /// <summary>
    /// How the value of a request field is decoded, by the field's name; null for the default, UTF-8, in which other bytes are answered
    /// with 400. The default selector gives null for every name, and costs nothing. Called for each field with other bytes than ASCII when
    /// a head has come, and whenever a value is read; on any thread.
    /// </summary>
    public Func<string, Encoding?> RequestHeaderEncodingSelector
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = HeaderEncodings.DefaultSelector;

    /// <summary>
    /// How the value of a response field is encoded, by the field's name; null for the default, ASCII, to which other characters are
    /// refused. The default selector gives null for every name, and costs nothing. Called when a value is set and when it is written; on
    /// any thread.
    /// </summary>
    public Func<string, Encoding?> ResponseHeaderEncodingSelector
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = HeaderEncodings.DefaultSelector;
}
