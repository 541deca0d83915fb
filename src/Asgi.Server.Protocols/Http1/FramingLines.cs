// One walk over the fields of a head that picks the few lines framing depends on. Lives on the stack of Framing.Decide.

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal ref struct FramingLines()
{
    /// <summary>The position of the one Host line, or -1.</summary>
    public int Host { get; private set; } = -1;

    /// <summary>The position of the one Transfer-Encoding line, or -1.</summary>
    public int TransferEncoding { get; private set; } = -1;

    /// <summary>Whether Connection lists "close".</summary>
    public bool Close { get; private set; }

    /// <summary>Whether Connection lists "keep-alive".</summary>
    public bool KeepAlive { get; private set; }

    public HttpFault? Collect(ReadOnlySpan<byte> buffer, RequestHead head)
    {
        HttpFault? fault = null;
        for (int i = 0; i < head.Fields.Count && fault is null; i++)
        {
            ref readonly FieldSection.FieldLine line = ref head.Fields[i];
            ReadOnlySpan<byte> name = line.Name(buffer);

            // The length alone rules out most fields, the first letter most of the others.
            switch (name.Length)
            {
                case 4 when IsHost(name):
                    fault = CollectHost(i);
                    break;
                case 6 when Is(name, "expect"u8):
                    head.ExpectContinue |= head.IsHttp11 && Lists(line.Value(buffer), "100-continue"u8);
                    break;
                case 10 when Is(name, "connection"u8):
                    CollectConnection(line.Value(buffer), head);
                    break;
                case 14 when Is(name, "content-length"u8):
                    fault = CollectContentLength(line.Value(buffer), head);
                    break;
                case 17 when Is(name, "transfer-encoding"u8):
                    fault = CollectTransferEncoding(i);
                    break;
            }
        }
        return fault;
    }

    /// <summary>
    /// The one field of these that every request has, as one comparison: setting a bit makes no other byte one of these letters.
    /// </summary>
    private static bool IsHost(ReadOnlySpan<byte> name) =>
        (BinaryPrimitives.ReadUInt32BigEndian(name) | 0x20202020) == (((uint)'h' << 24) | ((uint)'o' << 16) | ((uint)'s' << 8) | 't');

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> expected) =>
        (name[0] | 0x20) == expected[0] && Ascii.EqualsIgnoreCase(name, expected);

    private HttpFault? CollectHost(int line)
    {
        if (Host >= 0)
            return Http1Faults.MultipleHosts;
        Host = line;
        return null;
    }

    private HttpFault? CollectTransferEncoding(int line)
    {
        // A list over several lines would be legal, but whoever sends one is building something a proxy reads otherwise.
        if (TransferEncoding >= 0)
            return Http1Faults.InvalidTransferEncoding;
        TransferEncoding = line;
        return null;
    }

    /// <summary>Connection options (RFC 9110, 7.6.1); unknown ones are the names of fields and of no concern here.</summary>
    private void CollectConnection(ReadOnlySpan<byte> value, RequestHead head)
    {
        // What nearly every client sends, if anything.
        if (Ascii.EqualsIgnoreCase(value, "keep-alive"u8))
        {
            KeepAlive = true;
            return;
        }
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> option = Grammar.TrimWhitespace(value[range]);
            Close |= Ascii.EqualsIgnoreCase(option, "close"u8);
            KeepAlive |= Ascii.EqualsIgnoreCase(option, "keep-alive"u8);
            head.ConnectionUpgrade |= Ascii.EqualsIgnoreCase(option, "upgrade"u8);
        }
    }

    /// <summary>One line of 1*DIGIT (RFC 9110, 8.6); a repeated number could be told from a forged one by nobody.</summary>
    private static HttpFault? CollectContentLength(ReadOnlySpan<byte> value, RequestHead head)
    {
        if (head.ContentLength is not null || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long length))
            return Http1Faults.InvalidContentLength;
        head.ContentLength = length;
        return null;
    }

    private static bool Lists(ReadOnlySpan<byte> value, ReadOnlySpan<byte> member)
    {
        foreach (Range range in value.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(Grammar.TrimWhitespace(value[range]), member))
                return true;
        }
        return false;
    }
}
