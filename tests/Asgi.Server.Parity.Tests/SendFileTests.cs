// Files by SendFileAsync, as middleware and results send them: ranges, what stands around them, what is refused.

using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.FileProviders;

namespace Asgi.Server.Parity.Tests;

public sealed class SendFileTests(SendFileTests.Files hosts) : IClassFixture<SendFileTests.Files>
{
    private const int Length = 1_000_000;

    public sealed class Files : ParityHosts, IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sendfile");

        public Files()
        {
            File.WriteAllBytes(Large, Content);
            File.WriteAllBytes(Empty, []);
        }

        public static byte[] Content { get; } = [.. Enumerable.Range(0, Length).Select(i => (byte)(i * 31 >> 2))];

        public string Large => Path.Combine(_folder.FullName, "large.bin");

        public string Empty => Path.Combine(_folder.FullName, "empty.bin");

        public string Missing => Path.Combine(_folder.FullName, "missing.bin");

        public void Dispose() => _folder.Delete(recursive: true);

        protected override void Pipeline(WebApplication application)
        {
            application.UseStaticFiles(new StaticFileOptions
            {
                FileProvider = new PhysicalFileProvider(_folder.FullName),
                ServeUnknownFileTypes = true,
            });
            application.MapGet("/result", () => Results.File(Large, "application/octet-stream", enableRangeProcessing: true));
        }
    }

    public static TheoryData<HostKind, string, long, int> Ranges
    {
        get
        {
            var data = new TheoryData<HostKind, string, long, int>();
            foreach (var host in Hosts.Enabled)
            {
                foreach (var target in new[] { "/large.bin", "/result" })
                {
                    data.Add(host, target, 0, Length);
                    data.Add(host, target, 0, 1);
                    data.Add(host, target, 16 * 1024, (16 * 1024) + 1);
                    data.Add(host, target, 500_000, 300_000);
                    data.Add(host, target, Length - 1, 1);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public async Task A_range_of_a_large_file_is_cut_out_of_it(HostKind kind, string target, long start, int count)
    {
        var host = await hosts.On(kind);
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.Range = new RangeHeaderValue(start, start + count - 1);

        using var response = await host.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(count, response.Content.Headers.ContentLength);
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{start + count - 1}/{Length}"),
            response.Content.Headers.ContentRange?.ToString());
        Assert.Equal(Files.Content[(int)start..((int)start + count)], await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Writes_stand_before_and_behind_the_file_and_OnStarting_runs_once(HostKind host)
    {
        var calls = 0;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            context.Response.OnStarting(() =>
            {
                calls++;
                context.Response.Headers["X-Started"] = "yes";
                return Task.CompletedTask;
            });
            "before "u8.CopyTo(context.Response.BodyWriter.GetSpan(7));
            context.Response.BodyWriter.Advance(7);
            await context.Response.SendFileAsync(hosts.Large, 0, 100_000);
            await context.Response.SendFileAsync(hosts.Large, 5, 0);
            await context.Response.SendFileAsync(hosts.Large, 5, 10);
            await context.Response.WriteAsync(" after");
        });

        Assert.Equal(1, calls);
        Assert.Equal("yes", exchange.Answer.Field("X-Started"));
        Assert.Equal(host.Framing("chunked"), exchange.Answer.Framing);
        Assert.Equal($"before {Text(0, 100_000)}{Text(5, 10)} after", exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task The_length_is_the_apps(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.ContentLength = 200_000;
            return context.Response.SendFileAsync(hosts.Large, 100, 200_000);
        });

        Assert.Equal("length 200000", exchange.Answer.Framing);
        Assert.Equal(Text(100, 200_000), exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task An_empty_file_is_an_empty_response(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context => context.Response.SendFileAsync(hosts.Empty));

        Assert.Equal("length 0", exchange.Answer.Framing);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_head_request_gets_no_file(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.ContentLength = Length;
            return context.Response.SendFileAsync(hosts.Large);
        });

        var exchange = await host.ExchangeAsync("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal($"length {Length}", exchange.Answer.Framing);
        Assert.Equal("200 open", exchange.Outcome);
    }

    public static TheoryData<HostKind, string, long, long?, string> Refusals
    {
        get
        {
            var data = new TheoryData<HostKind, string, long, long?, string>();
            foreach (var host in Hosts.WithSockets)
            {
                data.Add(host, "large", -1, null, nameof(ArgumentOutOfRangeException));
                data.Add(host, "large", Length + 1, null, nameof(ArgumentOutOfRangeException));
                data.Add(host, "large", 0, -1, nameof(ArgumentOutOfRangeException));
                data.Add(host, "large", 0, Length + 1, nameof(ArgumentOutOfRangeException));
                data.Add(host, "large", Length, 1, nameof(ArgumentOutOfRangeException));
                data.Add(host, "missing", 0, null, nameof(FileNotFoundException));
                data.Add(host, "large", Length, null, "none");
                data.Add(host, "large", Length, 0, "none");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_cannot_be_sent_is_refused_before_the_response_starts(
        HostKind host, string name, long offset, long? count, string refusal)
    {
        var hasStarted = false;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            var feature = context.Features.Get<IHttpResponseBodyFeature>()!;
            var path = name == "large" ? hosts.Large : hosts.Missing;
            var error = await Record.ExceptionAsync(() => feature.SendFileAsync(path, offset, count, default));
            hasStarted = context.Response.HasStarted;
            await context.Response.WriteAsync(error?.GetType().Name ?? "none");
        });

        Assert.Equal(refusal, exchange.Answer.Content);
        Assert.False(hasStarted);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_cancelled_token_sends_nothing(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            var feature = context.Features.Get<IHttpResponseBodyFeature>()!;
            var error = await Record.ExceptionAsync(() => feature.SendFileAsync(hosts.Large, 0, null, new CancellationToken(true)));
            await context.Response.WriteAsync($"{error is OperationCanceledException} {context.Response.HasStarted}");
        });

        Assert.Equal("True False", exchange.Answer.Content);
    }

    private static string Text(int start, int count) => Encoding.Latin1.GetString(Files.Content, start, count);
}
