// One thing that happens in a script: a client's doing, the passing of time, or the application going on.

namespace Asgi.Server.Fuzz.Driver;

internal enum StepKind
{
    /// <summary>A client sends bytes; it connects when it first does something.</summary>
    Send,

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

/// <param name="Kind">What happens.</param>
/// <param name="Client">Whose doing it is.</param>
/// <param name="Amount">How much of it.</param>
/// <param name="Bytes">What is sent, a char for each byte.</param>
/// <param name="CalmRequests">How many requests the bytes are, if all are valid and to be answered with 200; otherwise 0.</param>
internal sealed record Step(StepKind Kind, int Client = 0, long Amount = 0, string Bytes = "", int CalmRequests = 0);
