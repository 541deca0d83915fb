// What a test sees of one message that the HTTP/1 machine took off the wire: copies, so that the driver's buffer may move on.

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Testing;

internal sealed class WireMessage
{
    private readonly List<byte> _content = [];

    public WireMessage(RequestHead head, byte[] buffer, int start)
    {
        string Text(int offset, int length) => Encoding.Latin1.GetString(buffer, start + offset, length);

        Method = Text(head.MethodStart, head.MethodLength);
        Target = Text(head.TargetStart, head.TargetLength);
        Form = head.Form;
        Authority = Text(head.AuthorityStart, head.AuthorityLength);
        Path = Text(head.PathStart, head.PathLength);
        Query = Text(head.QueryStart, head.QueryLength);
        IsHttp11 = head.IsHttp11;
        ContentLength = head.ContentLength;
        IsChunked = head.IsChunked;
        HasContent = head.HasContent;
        KeepAlive = head.KeepAlive;
        ConnectionUpgrade = head.ConnectionUpgrade;
        ExpectContinue = head.ExpectContinue;
        Fields = Read(head.Fields, buffer, start);
    }

    public string Method { get; }
    public string Target { get; }
    public TargetForm Form { get; }
    public string Authority { get; }
    public string Path { get; }
    public string Query { get; }
    public bool IsHttp11 { get; }
    public long? ContentLength { get; }
    public bool IsChunked { get; }
    public bool HasContent { get; }
    public bool KeepAlive { get; }
    public bool ConnectionUpgrade { get; }
    public bool ExpectContinue { get; }

    /// <summary>"name: value" lines in the order of the wire.</summary>
    public IReadOnlyList<string> Fields { get; }

    public IReadOnlyList<string> Trailers { get; private set; } = [];

    public string Content => Encoding.Latin1.GetString([.. _content]);

    public long FramingBytes { get; private set; }

    /// <summary>Whether EndOfMessage came.</summary>
    public bool IsComplete { get; private set; }

    public void Append(ReadOnlySpan<byte> content) => _content.AddRange(content);

    public void Complete(FieldSection trailers, byte[] buffer, int start, long framingBytes)
    {
        Trailers = Read(trailers, buffer, start);
        FramingBytes = framingBytes;
        IsComplete = true;
    }

    /// <summary>Everything but the content and what follows it.</summary>
    public string Head =>
        $"{Form} {Method} {Target} = {Authority}|{Path}|{Query} 1.{(IsHttp11 ? 1 : 0)} length={ContentLength} chunked={IsChunked} "
        + $"persist={KeepAlive} upgrade={ConnectionUpgrade} expect={ExpectContinue} fields=[{string.Join('|', Fields)}]";

    public override string ToString() =>
        $"{Head} content='{Content}' framing={FramingBytes} trailers=[{string.Join('|', Trailers)}] complete={IsComplete}";

    private static string[] Read(FieldSection section, byte[] buffer, int start)
    {
        section.Bind(buffer, start);
        var lines = new string[section.Count];
        for (int i = 0; i < lines.Length; i++)
            lines[i] = $"{Encoding.Latin1.GetString(section.GetName(i))}: {Encoding.Latin1.GetString(section.GetValue(i))}";
        return lines;
    }
}
