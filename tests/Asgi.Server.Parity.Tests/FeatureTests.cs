// The feature collection of a request: what is in it, what replacing and dropping mean, the connection behind it.

using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Parity.Tests;

public sealed partial class FeatureTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private static readonly Type[] Present =
    [
        typeof(IHttpRequestFeature), typeof(IHttpResponseFeature), typeof(IHttpResponseBodyFeature),
        typeof(IHttpRequestBodyDetectionFeature),
        typeof(IHttpRequestTrailersFeature), typeof(IRequestBodyPipeFeature), typeof(IHttpConnectionFeature),
        typeof(IHttpRequestLifetimeFeature),
        typeof(IHttpRequestIdentifierFeature), typeof(IHttpBodyControlFeature), typeof(IHttpMaxRequestBodySizeFeature),
        typeof(IHttpMinRequestBodyDataRateFeature), typeof(IHttpMinResponseDataRateFeature), typeof(IHttpUpgradeFeature),
        typeof(IHttpExtendedConnectFeature), typeof(IPersistentStateFeature),
        typeof(IConnectionIdFeature), typeof(IConnectionItemsFeature), typeof(IConnectionLifetimeFeature),
        typeof(IConnectionLifetimeNotificationFeature), typeof(IConnectionHeartbeatFeature),
    ];

    private static readonly Type[] Absent =
    [
        typeof(IHttpResetFeature), typeof(ITlsConnectionFeature), typeof(IHttpWebSocketFeature),
        typeof(ISessionFeature), typeof(IHttpAuthenticationFeature), typeof(IServerVariablesFeature),
    ];

    public static TheoryData<HostKind, string, bool> Matrix
    {
        get
        {
            var data = new TheoryData<HostKind, string, bool>();
            foreach (var host in Hosts.WithHttp)
            {
                foreach (var type in Present)
                    data.Add(host, type.Name, !host.IsHttp2() || type != typeof(IHttpMinResponseDataRateFeature));
                foreach (var type in Absent)
                    data.Add(host, type.Name, host.IsHttp2() && type == typeof(IHttpResetFeature));
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task A_feature_is_there_or_not(HostKind host, string name, bool expected)
    {
        var type = Present.Concat(Absent).Single(type => type.Name == name);
        bool? present = null;
        await hosts.GetAsync(host, context =>
        {
            present = context.Features[type] is not null;
            return Task.CompletedTask;
        });

        Assert.Equal(expected, present);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task What_is_enumerated_is_what_is_found(HostKind host)
    {
        List<KeyValuePair<Type, object>> enumerated = [];
        var found = true;
        var readOnly = true;
        await hosts.GetAsync(host, context =>
        {
            enumerated = [.. context.Features];
            found = enumerated.TrueForAll(pair => ReferenceEquals(context.Features[pair.Key], pair.Value));
            readOnly = context.Features.IsReadOnly;
            return Task.CompletedTask;
        });

        Assert.Contains(enumerated, pair => pair.Key == typeof(IHttpRequestFeature));
        Assert.Equal(enumerated.Count, enumerated.Select(pair => pair.Key).Distinct().Count());
        Assert.True(found);
        Assert.False(readOnly);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_context_is_used_again_for_the_next_request_of_the_connection(HostKind kind)
    {
        var contexts = new List<HttpContext>();
        var host = await hosts.On(kind, context =>
        {
            contexts.Add(context);
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        for (var turn = 0; turn < 2; turn++)
        {
            await client.SendAsync(Wire.Get);
            await client.ReadResponseAsync();
        }

        Assert.Same(contexts[0], contexts[1]);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_revision_rises_with_every_change_and_every_request(HostKind kind)
    {
        var revisions = new List<int>();
        var host = await hosts.On(kind, context =>
        {
            revisions.Add(context.Features.Revision);
            context.Features.Set(new Mine());
            revisions.Add(context.Features.Revision);
            context.Features.Set<Mine>(null);
            revisions.Add(context.Features.Revision);
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();
        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();

        Assert.Equal(6, revisions.Count);
        Assert.Equal(revisions.Order().Distinct(), revisions);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_feature_set_to_null_or_replaced_is_so_for_one_request(HostKind kind)
    {
        var seen = new List<(bool Upgrade, bool Control, bool Mine)>();
        var host = await hosts.On(kind, context =>
        {
            seen.Add(See());
            context.Features.Set<IHttpUpgradeFeature>(null);
            context.Features.Set<IHttpBodyControlFeature>(new Control());
            context.Features.Set(new Mine());
            seen.Add(See());
            return Task.CompletedTask;

            (bool, bool, bool) See() => (context.Features.Get<IHttpUpgradeFeature>() is not null,
                context.Features.Get<IHttpBodyControlFeature>() is Control, context.Features.Get<Mine>() is not null);
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();
        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();

        Assert.Equal([(true, false, false), (false, true, true), (true, false, false), (false, true, true)], seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task The_pipe_is_over_the_body_the_app_put_there(HostKind host)
    {
        var content = "";
        await hosts.ExchangeAsync(host, Wire.Post("hello"), async context =>
        {
            context.Request.Body = new MemoryStream("replaced"u8.ToArray());
            var read = await context.Request.BodyReader.ReadAsync();
            content = Encoding.ASCII.GetString(read.Buffer);
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
        });

        Assert.Equal("replaced", content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_trace_identifier_is_the_connection_and_a_counter(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync($"{context.Connection.Id} {context.TraceIdentifier}"));
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        var first = (await client.ReadResponseAsync())!.Content.Split(' ');
        await client.SendAsync(Wire.Get);
        var second = (await client.ReadResponseAsync())!.Content.Split(' ');
        var other = (await host.GetAsync()).Answer.Content.Split(' ');

        Assert.Matches(TraceIdentifier(), first[1]);
        Assert.Equal($"{first[0]}:00000001", first[1]);
        Assert.Equal($"{first[0]}:00000002", second[1]);
        Assert.NotEqual(first[0], other[0]);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_connection_knows_both_ends(HostKind kind)
    {
        (IPAddress? Local, int LocalPort, IPAddress? Remote, int RemotePort, bool Secure) seen = default;
        var host = await hosts.On(kind, context =>
        {
            var connection = context.Connection;
            seen = (connection.LocalIpAddress, connection.LocalPort, connection.RemoteIpAddress, connection.RemotePort,
                context.Request.IsHttps);
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();

        var local = (IPEndPoint)client.LocalEndPoint;
        Assert.Equal((IPAddress.Loopback, host.EndPoint.Port, IPAddress.Loopback, local.Port, false), seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task What_middleware_says_of_the_connection_lasts_one_request(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            var seen = $"{context.Connection.RemoteIpAddress} {context.TraceIdentifier == "mine"}";
            context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.1");
            context.TraceIdentifier = "mine";
            return context.Response.WriteAsync($"{seen} {context.Connection.RemoteIpAddress} {context.TraceIdentifier}");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get + Wire.Get);

        Assert.Equal("127.0.0.1 False 192.0.2.1 mine", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("127.0.0.1 False 192.0.2.1 mine", (await client.ReadResponseAsync())!.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_server_speaks_of_the_connection_it_was_asked_to_close(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Connection.RequestClose();
            return Task.CompletedTask;
        });

        Assert.Equal("200 closed", exchange.Outcome);
        Assert.Equal("close", exchange.Answer.Field("Connection"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task Who_listens_to_the_connection_hears_that_the_application_asked_it_to_close(HostKind host)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var exchange = await hosts.GetAsync(host, async context =>
        {
            var lifetime = context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>();
            await using var registration = lifetime.ConnectionClosedRequested.Register(heard.SetResult);
            lifetime.RequestClose();
            await heard.Task.WaitAsync(Hosts.Patience);
        });

        Assert.StartsWith("200", exchange.Outcome, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_data_rates_can_be_changed_for_a_request(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            var request = context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!;
            var response = context.Features.Get<IHttpMinResponseDataRateFeature>()!;
            var seen = $"{request.MinDataRate?.BytesPerSecond} {response.MinDataRate?.BytesPerSecond}";
            request.MinDataRate = null;
            response.MinDataRate = null;
            return context.Response.WriteAsync($"{seen} {request.MinDataRate is null} {response.MinDataRate is null}");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get + Wire.Get);

        Assert.Equal("240 240 True True", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("240 240 True True", (await client.ReadResponseAsync())!.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Items_services_and_endpoint_work_on_any_server(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Items["a"] = 1;
            var endpoint = new Endpoint(_ => Task.CompletedTask, EndpointMetadataCollection.Empty, "mine");
            context.SetEndpoint(endpoint);
            context.Request.RouteValues["id"] = "7";
            var services = context.RequestServices is not null;
            return context.Response.WriteAsync(
                $"{context.Items["a"]} {services} {context.GetEndpoint()?.DisplayName} {context.Request.RouteValues["id"]}");
        });

        Assert.Equal("1 True mine 7", await host.Client.GetStringAsync("/"));
        Assert.Equal("1 True mine 7", await host.Client.GetStringAsync("/"));
    }

    [GeneratedRegex("^[0-9A-Z]+:[0-9A-F]{8}$")]
    private static partial Regex TraceIdentifier();

    private sealed class Mine;

    private sealed class Control : IHttpBodyControlFeature
    {
        public bool AllowSynchronousIO { get; set; }
    }
}
