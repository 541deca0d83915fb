// openssl s_client: what clients of TLS 1.3 may do and .NET's does not. It takes a line that begins with k or K for itself: it changes
// the keys it sends with, and with K asks for the same of the server (RFC 8446, section 4.6.3).

using System.Diagnostics;

namespace Asgi.Server.Clients.Tests;

public sealed class OpenSslTests
{
    [ClientTheory("openssl")]
    [InlineData(ServerKind.Kestrel, 'k')]
    [InlineData(ServerKind.Kestrel, 'K')]
    [InlineData(ServerKind.Asgi, 'k')]
    [InlineData(ServerKind.Asgi, 'K')]
    public async Task Keys_may_change_between_requests(ServerKind kind, char update)
    {
        await using var server = await WebRoutes.StartAsync(kind, Offer.Http1Tls);
        using var client = new Client(server.Address);

        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync("GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await client.ReadToAsync("Hello, World!");
            await client.ChangeKeysAsync(update);
        }
        await client.SendAsync("GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.Contains("Hello, World!", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private sealed class Client : IDisposable
    {
        private readonly Process _process;

        public Client(Uri address)
        {
            string[] arguments = ["-connect", $"{address.Host}:{address.Port}", "-tls1_3", "-CAfile", ServedCertificate.AuthorityFile];
            _process = Process.Start(new ProcessStartInfo("openssl", ["s_client", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }

        public async Task SendAsync(string text)
        {
            await _process.StandardInput.WriteAsync(text);
            await _process.StandardInput.FlushAsync();
        }

        // It takes what is there in one piece, and looks at the first character: nothing else may be on its way.
        public async Task ChangeKeysAsync(char update)
        {
            await SendAsync($"{update}\n");
            while (await _process.StandardError.ReadLineAsync().WaitAsync(ClientProcess.Patience) is { } line)
                if (line.Contains("KEYUPDATE", StringComparison.Ordinal))
                    return;
            Assert.Fail("The client has ended.");
        }

        public async Task ReadToAsync(string text)
        {
            var read = new System.Text.StringBuilder();
            var buffer = new char[1];
            while (!read.ToString().EndsWith(text, StringComparison.Ordinal))
            {
                if (await _process.StandardOutput.ReadAsync(buffer.AsMemory()).AsTask().WaitAsync(ClientProcess.Patience) == 0)
                    Assert.Fail($"The client has ended: {read}");
                read.Append(buffer[0]);
            }
        }

        public async Task<string> ReadToEndAsync() => await _process.StandardOutput.ReadToEndAsync().WaitAsync(ClientProcess.Patience);

        public void Dispose()
        {
            if (!_process.HasExited)
                _process.Kill();
            _process.Dispose();
        }
    }
}
