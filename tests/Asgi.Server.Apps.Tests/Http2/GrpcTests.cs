// gRPC by its own client for Node: all four kinds of call, statuses, metadata, deadlines, cancellation.

using System.Text.Json;

namespace Asgi.Server.Apps.Tests.Http2;

public sealed class GrpcTests
{
    // Of gRPC's list of status codes.
    private const int Cancelled = 1;
    private const int InvalidArgument = 3;
    private const int DeadlineExceeded = 4;
    private const int Unimplemented = 12;
    private const int Internal = 13;

    [NodeTheory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_service_is_called_in_every_way(ServerKind kind, Offer offer)
    {
        await using var server = await GrpcRoutes.StartAsync(kind, offer);

        var output = await ClientProcess.RunAsync(
            "node",
            [
                Path.Combine(Repository.Clients, "grpc.mjs"), server.Address.Authority,
                .. offer.HasTls() ? [ServedCertificate.AuthorityFile] : Array.Empty<string>(),
            ]);

        var said = JsonSerializer.Deserialize<Said>(output.Succeeded, JsonSerializerOptions.Web)!;
        Assert.Equal(new Unary("hello", "said", 0, "said"), said.Unary);
        Assert.Equal(0, said.Empty);
        Assert.True(said.Large);
        Assert.Equal(Enumerable.Range(0, 100), said.Parallel);
        Assert.Equal(Enumerable.Range(0, 500), said.Counted);
        Assert.Equal(Enumerable.Range(0, 500).Sum(), said.Sum);
        Assert.Equal(Enumerable.Range(0, 50).Select(item => item * 2), said.Doubled);
        Assert.Equal(0, said.DoubleCode);
        Assert.Equal(new Failure(InvalidArgument, "no ü"), said.Fail);
        Assert.Equal(Unimplemented, said.Missing.Code); // of 404
        Assert.Equal(["one"], said.LateItems);
        Assert.Equal(new Failure(Internal, "after one"), said.Late);
        Assert.Equal(DeadlineExceeded, said.Deadline.Code);
        Assert.Equal("aborted", said.DeadlineHeard);
        Assert.Equal(Cancelled, said.Cancelled.Code);
        Assert.Equal("aborted", said.CancelHeard);
        Assert.Equal("still here", said.After);
    }

    private sealed record Said(
        Unary Unary, int Empty, bool Large, int[] Parallel, int[] Counted, int Sum, int[] Doubled, int DoubleCode, Failure Fail,
        Failure Missing, string[] LateItems, Failure Late, Failure Deadline, string DeadlineHeard, Failure Cancelled, string CancelHeard,
        string After);

    private sealed record Unary(string Message, string Head, int Code, string Trailer);

    private sealed record Failure(int Code, string Details);
}
