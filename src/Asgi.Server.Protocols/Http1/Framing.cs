// What the fields of a request say about its host (RFC 9112, section 3.2), its content (6.3) and the connection (9.3).
// Called by Http1Machine once per head; no state.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal static class Framing
{
    /// <summary>Fills the framing part of <paramref name="head"/>; null when the request is unambiguous.</summary>
    public static HttpFault? Decide(ReadOnlySpan<byte> buffer, RequestHead head, Http1Limits limits)
    {
        var lines = new FramingLines();
        HttpFault? fault = lines.Collect(buffer, head);
        if (fault is null)
            fault = DecideHost(buffer, head, lines.Host, limits.AllowsHostOverride);
        if (fault is null)
            fault = DecideContent(buffer, head, lines.TransferEncoding);

        // RFC 9112, 9.3: "close" wins, HTTP/1.1 persists by default, HTTP/1.0 on request.
        head.KeepAlive = !lines.Close && (head.IsHttp11 || lines.KeepAlive);
        return fault;
    }

    private static HttpFault? DecideHost(ReadOnlySpan<byte> buffer, RequestHead head, int line, bool allowsOverride)
    {
        if (line < 0)
            return head.IsHttp11 ? Http1Faults.MissingHost : null;
        ReadOnlySpan<byte> host = head.Fields[line].Value(buffer);
        if (!HostHeader.IsValid(host))
            return Http1Faults.InvalidHost;
        if (head.AuthorityLength == 0)
            return null;
        ReadOnlySpan<byte> authority = buffer.Slice(head.AuthorityStart, head.AuthorityLength);
        if (HostHeader.Matches(host, authority, head.DefaultPort))
            return null;
        if (!allowsOverride || head.Form != TargetForm.Absolute)
            return Http1Faults.HostMismatch;
        head.Fields.MoveValue(line, head.AuthorityStart, head.AuthorityLength);
        return null;
    }

    private static HttpFault? DecideContent(ReadOnlySpan<byte> buffer, RequestHead head, int transferEncoding)
    {
        if (transferEncoding < 0)
        {
            // Without either field an HTTP/1.1 request has no content; an HTTP/1.0 client would mean content up to its close.
            return head.ContentLength is null && !head.IsHttp11 && IsPostOrPut(buffer, head) ? Http1Faults.MissingContentLength : null;
        }
        // Each of these is how requests are smuggled past a proxy that reads them otherwise (RFC 9112, 6.1 and 11.2).
        if (!head.IsHttp11)
            return Http1Faults.TransferEncodingInHttp10;
        if (head.ContentLength is not null)
            return Http1Faults.TransferEncodingAndContentLength;
        head.IsChunked = true;
        return JudgeTransferEncoding(head.Fields[transferEncoding].Value(buffer));
    }

    private static bool IsPostOrPut(ReadOnlySpan<byte> buffer, RequestHead head)
    {
        ReadOnlySpan<byte> method = buffer.Slice(head.MethodStart, head.MethodLength);
        return method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8);
    }

    /// <summary>
    /// Null for exactly "chunked". A list that ends in chunked is understood but not implemented, everything else is no framing.
    /// </summary>
    private static HttpFault? JudgeTransferEncoding(ReadOnlySpan<byte> value)
    {
        if (Ascii.EqualsIgnoreCase(value, "chunked"u8))
            return null;
        int codings = 0;
        int chunked = 0;
        bool isLastChunked = false;
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> coding = Grammar.TrimWhitespace(value[range]);
            int parameters = coding.IndexOf((byte)';');
            if (!Grammar.IsToken(parameters < 0 ? coding : Grammar.TrimWhitespace(coding[..parameters])))
                return Http1Faults.InvalidTransferEncoding;
            isLastChunked = Ascii.EqualsIgnoreCase(coding, "chunked"u8);
            codings++;
            chunked += isLastChunked ? 1 : 0;
        }
        return isLastChunked && chunked == 1 && codings > 1 ? Http1Faults.UnknownTransferCoding : Http1Faults.InvalidTransferEncoding;
    }
}
