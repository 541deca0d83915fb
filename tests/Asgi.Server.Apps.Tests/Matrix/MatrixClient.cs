// What each client of the matrix can be asked to do, in words that none of them owns. Implemented by the three clients, called by tests.

namespace Asgi.Server.Apps.Tests;

/// <param name="Method">The method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Size">How much content is sent; null for none at all.</param>
/// <param name="IsChunked">Whether it is sent in chunks.</param>
/// <param name="Expects">Whether it waits for 100 (Continue).</param>
/// <param name="Fields">Further header fields.</param>
internal sealed record MatrixRequest(
    string Method, string Path, int? Size = null, bool IsChunked = false, bool Expects = false, Dictionary<string, string>? Fields = null);

/// <param name="Status">The status code.</param>
/// <param name="Fields">Header fields by their names in lower case.</param>
/// <param name="Length">How much content came.</param>
/// <param name="Sha256">What its hash is.</param>
/// <param name="Next">The connection on which the request behind this one arrived.</param>
internal sealed record MatrixAnswer(int Status, IReadOnlyDictionary<string, string> Fields, long Length, string Sha256, string Next)
{
    public string? Field(string name) => Fields.GetValueOrDefault(name);
}

internal interface IMatrixClient
{
    /// <summary>Sends a request and, on the same connection if it can, a second one.</summary>
    Task<MatrixAnswer> SendAsync(Uri server, MatrixRequest request);

    /// <summary>Sends or receives without an end until it is told to give up.</summary>
    Task AbortAsync(Uri address, HttpMethod method, Task whenUnderway);
}
