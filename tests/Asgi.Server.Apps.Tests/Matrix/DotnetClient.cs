// HttpClient as a client of the matrix.

using System.Net;

namespace Asgi.Server.Apps.Tests;

internal sealed class DotnetClient : IMatrixClient
{
    public async Task<MatrixAnswer> SendAsync(Uri server, MatrixRequest request)
    {
        using var client = Create(server);
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), new Uri(server, request.Path));
        if (request.Size is { } size)
            message.Content = new ByteArrayContent(MatrixServer.Content(size));
        message.Headers.TransferEncodingChunked = request.IsChunked ? true : null;
        message.Headers.ExpectContinue = request.Expects ? true : null;
        foreach (var (name, value) in request.Fields ?? [])
            message.Headers.TryAddWithoutValidation(name, value);

        using var response = await client.SendAsync(message);
        var content = await response.Content.ReadAsByteArrayAsync();
        var fields = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(field => field.Key.ToLowerInvariant(), field => string.Join(", ", field.Value));
        var next = await client.GetStringAsync(new Uri(server, "/connection"));
        return new((int)response.StatusCode, fields, content.Length, MatrixServer.Hash(content), next);
    }

    public async Task AbortAsync(Uri address, HttpMethod method, Task whenUnderway)
    {
        using var client = Create(address);
        using var abort = new CancellationTokenSource();
        using var message = new HttpRequestMessage(method, address);
        if (method == HttpMethod.Put)
            message.Content = new StreamContent(new Endless());
        var exchange = ExchangeAsync();

        await whenUnderway;
        await abort.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exchange);
        using var after = await client.GetAsync(new Uri(address, "/connection"));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);

        async Task ExchangeAsync()
        {
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, abort.Token);
            await using var content = await response.Content.ReadAsStreamAsync(abort.Token);
            await content.CopyToAsync(Stream.Null, abort.Token);
        }
    }

    private static HttpClient Create(Uri server) =>
        new(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { BaseAddress = server, Timeout = ClientProcess.Patience };

    // Zeros for ever.
    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}
