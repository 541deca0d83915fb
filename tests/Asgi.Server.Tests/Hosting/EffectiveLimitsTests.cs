// Every limit an operator sets reaches the connections it is meant for, and the counts are shared as documented.

using Asgi.Server.Connections;
using Asgi.Server.Hosting;
using Asgi.Server.Protocols.Http1;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Http2Limits = Asgi.Server.Protocols.Http2.Http2Limits;

namespace Asgi.Server.Tests.Hosting;

public sealed class EffectiveLimitsTests
{
    [Fact]
    public void Each_limit_reaches_the_connection()
    {
        var options = new AsgiServerOptions
        {
            HalfClose = HalfCloseBehavior.Abort,
            AllowAlternateSchemes = true,
            AllowResponseHeaderCompression = false,
            AllowHostHeaderOverride = true,
        };
        SetAll(options.Limits);

        var limits = new EffectiveLimits(options).Of(null);

        Assert.Equal((3, 100), (limits.RetryAfterSeconds, Room(limits.Requests)));
        Assert.Equal((101, 102), (Room(limits.Connection.Connections), Room(limits.Connection.UpgradedConnections)));
        Assert.Equal(
            new ConnectionLimits
            {
                ResponseBufferSizeMax = 1,
                RequestBufferSizeMax = 20_000,
                Http1 = limits.Connection.Http1,
                ContentLengthMax = 6,
                KeepAliveTimeoutMilliseconds = 7_000,
                HeadTimeoutMilliseconds = 8_000,
                RequestRateMin = new DataRate(9, 10_000),
                ResponseRateMin = new DataRate(11, 12_000),
                DrainTimeoutMilliseconds = 13_000,
                LingeringTimeoutMilliseconds = 14_000,
                HalfCloseTimeoutMilliseconds = 15_000,
                UpgradedShutdownTimeoutMilliseconds = 16_000,
                RequestsMax = 17,
                AgeMaxMilliseconds = 18_000,
                AbortsOnHalfClose = true,
                Http2 = new Http2Limits
                {
                    MaxRequestLineSize = 3,
                    MaxRequestHeadersTotalSize = 4,
                    MaxRequestHeaderCount = 5,
                    MaxStreamsPerConnection = 19,
                    HeaderTableSize = 20,
                    MaxFrameSize = 20_021,
                    MaxRequestHeaderFieldSize = 22,
                    InitialConnectionWindowSize = 70_023,
                    InitialStreamWindowSize = 70_022,
                    AllowsHostOverride = true,
                },
                AllowsAlternateSchemes = true,
                CompressesResponseFields = false,
                KeepAlivePingDelayMilliseconds = 24_000,
                KeepAlivePingTimeoutMilliseconds = 25_000,
                Connections = limits.Connection.Connections,
                UpgradedConnections = limits.Connection.UpgradedConnections,
            },
            limits.Connection);
        Assert.Equal((3, 4, 5), Sizes(limits.Connection.Http1));
    }

    [Fact]
    public void An_endpoint_without_limits_of_its_own_has_the_servers()
    {
        var limits = new EffectiveLimits(new AsgiServerOptions());

        Assert.Same(limits.Of(null), limits.Of(null));
        Assert.Null(limits.Of(null).Requests);
        Assert.Null(limits.Of(null).Connection.Connections);
        Assert.Null(limits.Of(null).Connection.UpgradedConnections);
        Assert.Null(limits.Of(null).Connection.AgeMaxMilliseconds);
    }

    [Fact]
    public void Counts_are_shared_while_their_numbers_are_the_servers()
    {
        var options = new AsgiServerOptions();
        SetAll(options.Limits);
        var limits = new EffectiveLimits(options);
        var (same, other) = (options.Limits.Copy(), options.Limits.Copy());
        other.MaxConcurrentConnections = other.MaxConcurrentRequests = 1;
        other.MaxConcurrentUpgradedConnections = null;

        Assert.Same(limits.Of(null).Requests, limits.Of(same).Requests);
        Assert.Same(limits.Of(null).Connection.Connections, limits.Of(same).Connection.Connections);
        Assert.Same(limits.Of(null).Connection.UpgradedConnections, limits.Of(same).Connection.UpgradedConnections);
        Assert.Equal((1, 1), (Room(limits.Of(other).Requests), Room(limits.Of(other).Connection.Connections)));
        Assert.Null(limits.Of(other).Connection.UpgradedConnections);
    }

    private static void SetAll(AsgiServerLimits limits)
    {
        limits.MaxResponseBufferSize = 1;
        limits.MaxRequestBufferSize = 20_000;
        limits.MaxRequestLineSize = 3;
        limits.MaxRequestHeadersTotalSize = 4;
        limits.MaxRequestHeaderCount = 5;
        limits.MaxRequestBodySize = 6;
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(7);
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(8);
        limits.MinRequestBodyDataRate = new MinDataRate(9, TimeSpan.FromSeconds(10));
        limits.MinResponseDataRate = new MinDataRate(11, TimeSpan.FromSeconds(12));
        limits.RequestBodyDrainTimeout = TimeSpan.FromSeconds(13);
        limits.LingeringTimeout = TimeSpan.FromSeconds(14);
        limits.HalfCloseTimeout = TimeSpan.FromSeconds(15);
        limits.UpgradedShutdownTimeout = TimeSpan.FromSeconds(16);
        limits.MaxRequestsPerConnection = 17;
        limits.MaxConnectionAge = TimeSpan.FromSeconds(18);
        limits.Http2.MaxStreamsPerConnection = 19;
        limits.Http2.HeaderTableSize = 20;
        limits.Http2.MaxFrameSize = 20_021;
        limits.Http2.MaxRequestHeaderFieldSize = 22;
        limits.Http2.InitialConnectionWindowSize = 70_023;
        limits.Http2.InitialStreamWindowSize = 70_022;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(24);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(25);
        limits.RetryAfter = TimeSpan.FromSeconds(2.001);
        limits.MaxConcurrentRequests = 100;
        limits.MaxConcurrentConnections = 101;
        limits.MaxConcurrentUpgradedConnections = 102;
    }

    private static (int Line, int Headers, int Count) Sizes(Http1Limits limits) =>
        (limits.MaxRequestLineSize, limits.MaxRequestHeadersTotalSize, limits.MaxRequestHeaderCount);

    private static int Room(ConcurrencyLimit? limit)
    {
        var room = 0;
        while (limit?.TryEnter() == true)
        {
            room++;
        }

        for (var i = 0; i < room; i++)
        {
            limit!.Leave();
        }

        return room;
    }
}
