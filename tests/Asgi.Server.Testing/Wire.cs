// A literal of the wire and the ways it can arrive: whole, in two pieces cut anywhere, byte by byte. Used by tests of any protocol.

using System.Text;

namespace Asgi.Server.Testing;

/// <summary>Each character of the literal is one byte, so "\u00E9" is the byte 0xE9.</summary>
public sealed class Wire(string literal)
{
    public byte[] Bytes { get; } = Encoding.Latin1.GetBytes(literal);

    /// <summary>Every way to cut the bytes: the lengths of the pieces, in order.</summary>
    public IEnumerable<int[]> Cuts()
    {
        yield return [Bytes.Length];
        for (int i = 1; i < Bytes.Length; i++)
            yield return [i, Bytes.Length - i];
        yield return [.. Enumerable.Repeat(1, Bytes.Length)];
    }

    public override string ToString() => Show(literal);

    public static string Show(string literal)
    {
        var shown = new StringBuilder();
        foreach (char c in literal)
        {
            shown.Append(c switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                '\t' => "\\t",
                < ' ' or > '~' => $"\\x{(int)c:X2}",
                _ => c.ToString(),
            });
        }
        return shown.ToString();
    }
}
