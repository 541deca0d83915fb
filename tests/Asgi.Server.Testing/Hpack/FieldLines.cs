// A list of field lines as a source for a head writer. Called by tests.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Testing.Hpack;

internal sealed class FieldLines(params (string Name, string Value)[] lines) : FieldSource
{
    /// <summary>How all values are encoded; null for ASCII.</summary>
    public Encoding? Encoding { get; init; }

    public override bool Next(ref FieldCursor cursor)
    {
        if (cursor.Line == lines.Length)
            return false;
        (cursor.Name, cursor.Value) = lines[cursor.Line++];
        cursor.Encoding = Encoding;
        return true;
    }
}
