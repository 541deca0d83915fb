// The method names of RFC 9110 (section 9) and the registered PATCH and QUERY, as the one instance the framework compares with first.
// Called by the driver for each request; immutable.

using System.Text;

namespace Asgi.Server.Protocols.Http;

internal static class KnownMethods
{
    /// <summary>The interned name of a known method, otherwise a new string. Methods are case-sensitive (RFC 9110, 9.1).</summary>
    public static string GetString(ReadOnlySpan<byte> method)
    {
        // Each comparison with a literal of known length is one or two comparisons of integers.
        switch (method.Length)
        {
            case 3:
                if (method.SequenceEqual("GET"u8))
                    return "GET";
                if (method.SequenceEqual("PUT"u8))
                    return "PUT";
                break;
            case 4:
                if (method.SequenceEqual("POST"u8))
                    return "POST";
                if (method.SequenceEqual("HEAD"u8))
                    return "HEAD";
                break;
            case 5:
                if (method.SequenceEqual("PATCH"u8))
                    return "PATCH";
                if (method.SequenceEqual("TRACE"u8))
                    return "TRACE";
                if (method.SequenceEqual("QUERY"u8))
                    return "QUERY";
                break;
            case 6:
                if (method.SequenceEqual("DELETE"u8))
                    return "DELETE";
                break;
            case 7:
                if (method.SequenceEqual("OPTIONS"u8))
                    return "OPTIONS";
                if (method.SequenceEqual("CONNECT"u8))
                    return "CONNECT";
                break;
        }
        return Encoding.ASCII.GetString(method);
    }
}
