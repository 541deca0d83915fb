// What a test's client and server speak to each other. Named by theories, so that a failure names it.

namespace Asgi.Server.Clients.Tests;

public enum Offer
{
    /// <summary>HTTP/1.1 without TLS.</summary>
    Http1,

    /// <summary>HTTP/2 without TLS, which the client knows beforehand (RFC 9113, section 3.3).</summary>
    Http2,

    /// <summary>HTTP/1.1, chosen by ALPN on an endpoint that has both.</summary>
    Http1Tls,

    /// <summary>HTTP/2, chosen by ALPN on an endpoint that has both.</summary>
    Http2Tls,
}

internal static class Offers
{
    private static readonly ServerKind[] Kinds = [ServerKind.Kestrel, ServerKind.Asgi];

    /// <summary>HTTP/2 in both ways, on each server.</summary>
    public static TheoryData<ServerKind, Offer> Http2 => With(Offer.Http2, Offer.Http2Tls);

    /// <summary>Both versions over TLS, on each server.</summary>
    public static TheoryData<ServerKind, Offer> Tls => With(Offer.Http1Tls, Offer.Http2Tls);

    /// <summary>All that is not HTTP/1.1 in the clear, on each server.</summary>
    public static TheoryData<ServerKind, Offer> New => With(Offer.Http2, Offer.Http1Tls, Offer.Http2Tls);

    public static bool HasTls(this Offer offer) => offer is Offer.Http1Tls or Offer.Http2Tls;

    /// <summary>Whether HTTP/2 is spoken in the end.</summary>
    public static bool IsHttp2(this Offer offer) => offer is Offer.Http2 or Offer.Http2Tls;

    public static TheoryData<ServerKind, Offer> With(params Offer[] offers)
    {
        var data = new TheoryData<ServerKind, Offer>();
        foreach (var offer in offers)
            foreach (var kind in Kinds)
                data.Add(kind, offer);
        return data;
    }
}
