// The fields of a response, pulled one by one by the writer of a head (HTTP/1 lines now, HPACK later), so that no list is built
// between the application's headers and the wire. Called on the thread that writes the response.

using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Asgi.Server.Protocols.Http;

/// <summary>A source of field lines that a head writer pulls from.</summary>
public abstract class FieldSource
{
    /// <summary>Moves to the next field line and puts it into <paramref name="cursor"/>.</summary>
    /// <param name="cursor">The place reached; a default value stands before the first line. A source can be read again from there.</param>
    /// <returns><see langword="false"/> after the last line.</returns>
    [SuppressMessage("Naming", "CA1716", Justification = "The word of enumerators; a Visual Basic source can override [Next].")]
    public abstract bool Next(ref FieldCursor cursor);
}

/// <summary>The line a <see cref="FieldSource"/> has reached, and room for the source to remember the place.</summary>
public struct FieldCursor
{
    /// <summary>The field name.</summary>
    public string Name { get; set; }

    /// <summary>The field value.</summary>
    public string Value { get; set; }

    /// <summary>How the value is encoded; null for ASCII, which other characters cannot be sent in.</summary>
    public Encoding? Encoding { get; set; }

    /// <summary>State of the source; writers do not look at it. Zero at the start.</summary>
    public int Line { get; set; }

    /// <summary>State of the source; writers do not look at it. Zero at the start.</summary>
    public int Item { get; set; }
}
