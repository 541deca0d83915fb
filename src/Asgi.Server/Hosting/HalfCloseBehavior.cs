// What an operator may choose for clients that end their sending early. Read once when the server starts.
namespace Asgi.Server;

/// <summary>
/// What a FIN of the client means while its whole request is being answered: that it has said all, or that it has left. TCP does not tell
/// the two apart.
/// </summary>
public enum HalfCloseBehavior
{
    /// <summary>
    /// The request goes on and its response is sent. If it is not complete after <see cref="AsgiServerLimits.HalfCloseTimeout"/>,
    /// RequestAborted is raised, since the client may have left; a reset, or a response that cannot be sent, raises it at once.
    /// </summary>
    Respond,

    /// <summary>RequestAborted is raised at once and the response is discarded, as Kestrel does.</summary>
    Abort,
}
