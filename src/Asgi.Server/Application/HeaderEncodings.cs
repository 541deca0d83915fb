// Encodings of field values other than the default ones, as an operator has chosen them by name. Made by Hosting; asked on any thread.
using System.Text;

namespace Asgi.Server.Application;

/// <param name="Request">How values of requests are decoded; null: all in the default encoding.</param>
/// <param name="Response">How values of responses are encoded; null: all in the default encoding.</param>
internal sealed record HeaderEncodings(Func<string, Encoding?>? Request, Func<string, Encoding?>? Response)
{
    /// <summary>What the options hold as long as nobody has chosen: known by its identity, so that it is never called.</summary>
    public static readonly Func<string, Encoding?> DefaultSelector = static _ => null;

    /// <summary>Nothing chosen.</summary>
    public static HeaderEncodings None { get; } = new(null, null);

    /// <summary>The selectors of options, without those that are the default.</summary>
    public static HeaderEncodings From(Func<string, Encoding?> request, Func<string, Encoding?> response) => new(
        ReferenceEquals(request, DefaultSelector) ? null : request, ReferenceEquals(response, DefaultSelector) ? null : response);
}
