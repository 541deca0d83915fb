// One thing that happens in a script of HTTP/2: a client's doing, the passing of time, or the application going on.

namespace Asgi.Server.Fuzz.Streams;

internal enum StreamStepKind
{
    /// <summary>A client opens a stream; it connects, and says its preface, when it first does something.</summary>
    Open,

    /// <summary>A client sends content of its streams, in so many frames at most, as far as the server's windows allow.</summary>
    Feed,

    /// <summary>A client resets a stream.</summary>
    Cancel,

    /// <summary>A client opens the window of a stream, or of the connection.</summary>
    Credit,

    /// <summary>A client sends bytes: frames as they should be, or anything.</summary>
    Raw,

    /// <summary>A client sends FIN and goes on reading.</summary>
    Finish,

    /// <summary>A client sends RST.</summary>
    Reset,

    /// <summary>A client is willing to receive so many more bytes.</summary>
    Window,

    /// <summary>The loop turns so many times.</summary>
    Tick,

    /// <summary>The loop runs until nothing is left to do.</summary>
    Run,

    /// <summary>Time passes, in milliseconds.</summary>
    Advance,

    /// <summary>What an application waits for happens on its loop's thread.</summary>
    Release,

    /// <summary>The same on another thread.</summary>
    ReleaseOffLoop,

    /// <summary>The server begins to stop.</summary>
    Stop,
}

/// <summary>What is special about a request.</summary>
[Flags]
internal enum RequestShape
{
    None = 0,

    /// <summary>It says how long its content is.</summary>
    Declared = 1,

    /// <summary>Its field block comes in several frames.</summary>
    Split = 2,

    /// <summary>Its frames have padding.</summary>
    Padded = 4,

    /// <summary>It ends with trailers.</summary>
    Trailers = 8,

    /// <summary>It expects a 100, and its client does not wait for it.</summary>
    Expecting = 16,

    /// <summary>It is an extended CONNECT (RFC 8441).</summary>
    Connect = 32,

    /// <summary>The last of its content, if it has any, is followed by an empty frame that ends the stream.</summary>
    EmptyEnd = 64,
}

/// <param name="Kind">What happens.</param>
/// <param name="Client">Whose doing it is.</param>
/// <param name="Amount">How much of it.</param>
/// <param name="Stream">Which of the client's streams, counted from 1 as they were opened, over again; 0: the connection.</param>
/// <param name="Bytes">What is sent, a char for each byte; of a request, its method and target.</param>
/// <param name="Content">How much content a request has, in bytes.</param>
/// <param name="Shape">What is special about a request.</param>
/// <param name="IsCalm">Whether it is what a well-behaved client does.</param>
internal sealed record StreamStep(
    StreamStepKind Kind,
    int Client = 0,
    long Amount = 0,
    int Stream = 0,
    string Bytes = "",
    int Content = 0,
    RequestShape Shape = RequestShape.None,
    bool IsCalm = true);
