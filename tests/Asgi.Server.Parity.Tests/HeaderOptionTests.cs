// Options about fields, set to the same values on both servers: encodings of values, and a Host field that the target overrides.

using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Parity.Tests;

public class HeaderOptionTests
{
    private const string Latin1Value = "GET / HTTP/1.1\r\nHost: h\r\nX-Latin: caf\u00E9\r\n\r\n";

    public static TheoryData<HostKind> Sockets => Hosts.Sockets;

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_value_is_decoded_as_chosen_for_its_name(HostKind kind)
    {
        await using var host = await StartAsync(kind, request: name => name == "X-Latin" ? Encoding.Latin1 : null);
        host.With(context => context.Response.WriteAsync(context.Request.Headers["X-Latin"].ToString() == "caf\u00E9" ? "yes" : "no"));

        Assert.Equal("yes", (await host.ExchangeAsync(Latin1Value)).Answer.Content);
        Assert.Equal("yes", (await host.ExchangeAsync(Latin1Value)).Answer.Content);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task Other_names_stay_UTF_8(HostKind kind)
    {
        await using var host = await StartAsync(kind, request: name => name == "X-Other" ? Encoding.Latin1 : null);
        host.With(context => context.Response.WriteAsync(context.Request.Headers["X-Utf"].ToString() == "\u00E9" ? "yes" : "no"));

        Assert.Equal("yes", (await host.ExchangeAsync("GET / HTTP/1.1\r\nHost: h\r\nX-Utf: \u00C3\u00A9\r\n\r\n")).Answer.Content);
        Assert.Equal("400 closed", (await host.ExchangeAsync(Latin1Value)).Outcome);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task What_a_chosen_encoding_does_not_have_is_refused(HostKind kind)
    {
        var strict = Encoding.GetEncoding("us-ascii", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        await using var host = await StartAsync(kind, request: _ => strict);

        Assert.Equal("400 closed", (await host.With(_ => Task.CompletedTask).ExchangeAsync(Latin1Value)).Outcome);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task Without_a_choice_other_bytes_than_UTF_8_are_refused(HostKind kind)
    {
        await using var host = await StartAsync(kind);

        Assert.Equal("400 closed", (await host.With(_ => Task.CompletedTask).ExchangeAsync(Latin1Value)).Outcome);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_value_is_encoded_as_chosen_for_its_name(HostKind kind)
    {
        await using var host = await StartAsync(kind, response: name => name switch
        {
            "X-Latin" => Encoding.Latin1,
            "X-Utf" => Encoding.UTF8,
            _ => null,
        });
        host.With(context =>
        {
            context.Response.Headers["X-Latin"] = "caf\u00E9";
            context.Response.Headers["X-Utf"] = "caf\u00E9";
            return Task.CompletedTask;
        });

        var answer = (await host.GetAsync()).Answer;

        Assert.Equal("caf\u00E9", answer.Field("X-Latin"));
        Assert.Equal("caf\u00C3\u00A9", answer.Field("X-Utf"));
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task No_encoding_lets_a_line_end_through(HostKind kind)
    {
        await using var host = await StartAsync(kind, response: _ => Encoding.Latin1);
        var refused = "";
        host.With(context =>
        {
            refused = Record.Exception(() => context.Response.Headers["X-Split"] = "a\r\nX-Other: b")?.GetType().Name ?? "";
            return Task.CompletedTask;
        });

        Assert.Null((await host.GetAsync()).Answer.Field("X-Other"));
        Assert.Equal(nameof(InvalidOperationException), refused);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_Host_field_that_differs_from_the_target_is_overridden_where_that_is_allowed(HostKind kind)
    {
        const string Differs = "GET http://a.example:81/ HTTP/1.1\r\nHost: b.example\r\n\r\n";
        await using var allowing = await StartAsync(kind, allowsOverride: true);
        await using var refusing = await StartAsync(kind);
        RequestDelegate app = context => context.Response.WriteAsync($"{context.Request.Host} {context.Request.Headers.Host}");

        Assert.Equal("a.example:81 a.example:81", (await allowing.With(app).ExchangeAsync(Differs)).Answer.Content);
        Assert.Equal("400 closed", (await refusing.With(app).ExchangeAsync(Differs)).Outcome);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task There_must_be_one_valid_Host_field_even_so(HostKind kind)
    {
        await using var host = await StartAsync(kind, allowsOverride: true);
        host.With(_ => Task.CompletedTask);

        Assert.Equal("400 closed", (await host.ExchangeAsync("GET http://a/ HTTP/1.1\r\n\r\n")).Outcome);
        Assert.Equal("400 closed", (await host.ExchangeAsync("GET http://a/ HTTP/1.1\r\nHost: b\r\nHost: c\r\n\r\n")).Outcome);
        Assert.Equal("400 closed", (await host.ExchangeAsync("CONNECT a:80 HTTP/1.1\r\nHost: b:80\r\n\r\n")).Outcome);
    }

    private static Task<ParityHost> StartAsync(
        HostKind kind, Func<string, Encoding?>? request = null, Func<string, Encoding?>? response = null, bool allowsOverride = false) =>
        ParityHost.StartAsync(
            kind,
            builder =>
            {
                builder.Services.Configure<KestrelServerOptions>(options =>
                {
                    options.RequestHeaderEncodingSelector = request ?? options.RequestHeaderEncodingSelector;
                    options.ResponseHeaderEncodingSelector = response ?? options.ResponseHeaderEncodingSelector;
                    options.AllowHostHeaderOverride = allowsOverride;
                });
                builder.Services.Configure<AsgiServerOptions>(options =>
                {
                    options.RequestHeaderEncodingSelector = request ?? options.RequestHeaderEncodingSelector;
                    options.ResponseHeaderEncodingSelector = response ?? options.ResponseHeaderEncodingSelector;
                    options.AllowHostHeaderOverride = allowsOverride;
                });
            },
            _ => { });
}
