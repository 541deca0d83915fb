// One whole request on a connection: everything of the server but the system calls. The network is the tests' simulation, a few copies and
// a batch of events; Native minus StartAndBody of Seam is what loop, machine, driver and simulation cost together.

using Asgi.Server.Application;
using Asgi.Server.Testing.Simulation;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class Requests
{
    /// <summary>Status line, three fields and content, to the byte.</summary>
    private const int ResponseLength = 17 + 20 + 37 + 26 + 2 + 13;

    private readonly byte[] _one = Messages.Bytes(Messages.Curl);
    private readonly byte[] _sixteen = Messages.Bytes(string.Concat(Enumerable.Repeat(Messages.Curl, 16)));
    private SimulatedServer _native = null!;
    private SimulatedServer _hosted = null!;
    private SimulatedClient _nativeClient = null!;
    private SimulatedClient _hostedClient = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _native = new SimulatedServer(_ => new PlaintextApplication(), logMinimum: LogLevel.Warning);
        _hosted = new SimulatedServer(
            log => new HostedApplication<IFeatureCollection>(new PlaintextFeatures(), log), logMinimum: LogLevel.Warning);
        _nativeClient = _native.Connect();
        _hostedClient = _hosted.Connect();
    }

    [Benchmark(Baseline = true), Yields(ResponseLength)]
    public int Native() => Exchange(_native, _nativeClient, _one);

    [Benchmark, Yields(ResponseLength)]
    public int Hosted() => Exchange(_hosted, _hostedClient, _one);

    /// <summary>Sixteen in one read.</summary>
    [Benchmark, Yields(16 * ResponseLength)]
    public int HostedPipelined() => Exchange(_hosted, _hostedClient, _sixteen);

    [GlobalCleanup]
    public void CleanUp()
    {
        _native.Dispose();
        _hosted.Dispose();
    }

    private static int Exchange(SimulatedServer server, SimulatedClient client, byte[] request)
    {
        client.Send(request);
        server.Run();
        return client.Discard();
    }
}
