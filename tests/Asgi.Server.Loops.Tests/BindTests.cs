// Binding and accepting as the host does it: over several loops, on IP and unix sockets.

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Epoll;
using Asgi.Server.Loops.Portable;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

public abstract class BindTests
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private readonly BackendFactory _backends;

    private protected BindTests(BackendFactory backends) => _backends = backends;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Port_0_is_bound_to_a_free_port(int loopCount)
    {
        using var group = new LoopGroup(loopCount, backends: _backends);

        var bound = group.Bind(AnyPort, backlog: 16);

        Assert.NotEqual(0, ((IPEndPoint)bound.LocalEndPoint).Port);
        bound.CloseUnstarted();
    }

    [Fact]
    public void Loops_that_cannot_all_be_made_leave_nothing()
    {
        var backends = new ScarceFactory(count: 2);

        Assert.Throws<SocketException>(() => new LoopGroup(3, backends: backends));

        Assert.Equal(2, backends.DisposedCount);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(1, 3)]
    [InlineData(3, 3)]
    public void A_port_in_use_is_refused_whether_loops_share_it_or_not(int loopCount, int secondLoopCount)
    {
        // With SO_REUSEPORT alone two servers would silently share the port.
        using var group = new LoopGroup(loopCount, backends: _backends);
        using var second = new LoopGroup(secondLoopCount, backends: _backends);
        var bound = group.Bind(AnyPort, backlog: 16);

        var exception = Assert.Throws<SocketException>(() => second.Bind(bound.LocalEndPoint, backlog: 16));

        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
        bound.CloseUnstarted();
        second.Bind(bound.LocalEndPoint, backlog: 16).CloseUnstarted();
    }

    [Fact]
    public async Task Connections_reach_a_loop_and_are_accepted_on_its_thread()
    {
        using var group = new LoopGroup(3, backends: _backends);
        group.Start();
        var bound = group.Bind(AnyPort, backlog: 256);
        var acceptor = new Acceptor(expected: 100);
        bound.StartAccepting(acceptor);

        var peers = Enumerable.Range(0, 100).Select(_ => new SocketPeer(bound.LocalEndPoint)).ToArray();
        await acceptor.Done;

        Assert.All(acceptor.WasCurrent, Assert.True);
        Assert.Equal(ConnectionEnd.Fin, peers[0].ReceiveEnd());
        await bound.CloseAsync();
        Array.ForEach(peers, peer => peer.Dispose());
    }

    [Fact]
    public async Task A_closed_endpoint_refuses()
    {
        using var group = new LoopGroup(3, backends: _backends);
        group.Start();
        var bound = group.Bind(AnyPort, backlog: 16);
        bound.StartAccepting(new Acceptor(expected: 1));

        await bound.CloseAsync();

        var exception = Assert.Throws<SocketException>(() => new SocketPeer(bound.LocalEndPoint));
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
    }

    [Fact]
    public async Task A_unix_socket_is_served_by_the_loops_in_turns()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        using var group = new LoopGroup(2, backends: _backends);
        group.Start();
        var bound = group.Bind(new UnixDomainSocketEndPoint(path), backlog: 16);
        var acceptor = new Acceptor(expected: 4);
        bound.StartAccepting(acceptor);

        var peers = Enumerable.Range(0, 4).Select(_ => new SocketPeer(bound.LocalEndPoint)).ToArray();
        await acceptor.Done;

        Assert.Equal([2, 2], acceptor.Loops.GroupBy(loop => loop).Select(loops => loops.Count()));
        Assert.All(acceptor.WasCurrent, Assert.True);
        Assert.All(acceptor.RemoteEndPoints, Assert.Null);
        await bound.CloseAsync();
        File.Delete(path);
        Array.ForEach(peers, peer => peer.Dispose());
    }

    [Fact]
    public async Task An_inherited_socket_is_served_by_the_loops_in_turns()
    {
        using var group = new LoopGroup(2, backends: _backends);
        group.Start();
        var (handle, local) = Listening();
        var bound = group.Adopt(handle);
        var acceptor = new Acceptor(expected: 4);
        bound.StartAccepting(acceptor);

        var peers = Enumerable.Range(0, 4).Select(_ => new SocketPeer(local)).ToArray();
        await acceptor.Done;

        Assert.Equal(local, bound.LocalEndPoint);
        Assert.Equal([2, 2], acceptor.Loops.GroupBy(loop => loop).Select(loops => loops.Count()));
        Assert.All(acceptor.WasCurrent, Assert.True);
        Assert.All(peers, peer => Assert.Contains(peer.LocalEndPoint, acceptor.RemoteEndPoints));
        await bound.CloseAsync();
        var exception = Assert.Throws<SocketException>(() => new SocketPeer(local));
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
        Array.ForEach(peers, peer => peer.Dispose());
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)int.MaxValue)]
    public void A_handle_that_is_none_is_refused(ulong handle)
    {
        using var group = new LoopGroup(1, backends: _backends);

        Assert.Throws<InvalidOperationException>(() => group.Adopt(handle));
    }

    // A connection on its way from the loop that accepts to the loop that owns it is in nobody's count yet.
    [Fact]
    public async Task A_close_is_done_when_each_loop_has_the_connections_accepted_for_it()
    {
        var backend = new SimulatedBackend(1, NetworkConditions.Calm);
        using var first = new Loop(backend, "accepts");
        using var second = new Loop(new SimulatedBackend(2), "owns");
        var listener = backend.Listen();
        var bound = new BoundEndpoint([first, second], [listener]);
        var acceptor = new Acceptor(expected: 2);
        bound.StartAccepting(acceptor);
        first.Tick();
        _ = (listener.Connect(), listener.Connect());
        first.Tick();

        var close = bound.CloseAsync();
        first.Tick();
        Assert.False(close.IsCompleted);
        while (!close.IsCompleted)
        {
            first.Tick();
            second.Tick();
            await Task.Yield();
        }

        Assert.Equal([first, second], acceptor.Loops);
    }

    [Fact]
    public async Task A_wildcard_address_shows_each_connection_its_own()
    {
        using var group = new LoopGroup(1, backends: _backends);
        group.Start();
        var bound = group.Bind(new IPEndPoint(IPAddress.Any, 0), backlog: 16);
        var acceptor = new Acceptor(expected: 1);
        bound.StartAccepting(acceptor);
        var port = ((IPEndPoint)bound.LocalEndPoint).Port;

        using var peer = new SocketPeer(new IPEndPoint(IPAddress.Loopback, port));
        await acceptor.Done;

        Assert.Equal(new IPEndPoint(IPAddress.Loopback, port), Assert.Single(acceptor.LocalEndPoints));
        Assert.Equal(peer.LocalEndPoint, Assert.Single(acceptor.RemoteEndPoints));
        await bound.CloseAsync();
    }

    [Fact]
    public async Task All_addresses_are_those_of_both_families()
    {
        using var group = new LoopGroup(1, backends: _backends);
        group.Start();
        var bound = group.Bind(new IPEndPoint(IPAddress.IPv6Any, 0), backlog: 16);
        var acceptor = new Acceptor(expected: 2);
        bound.StartAccepting(acceptor);
        var port = ((IPEndPoint)bound.LocalEndPoint).Port;

        using var ipv4 = new SocketPeer(new IPEndPoint(IPAddress.Loopback, port));
        using var ipv6 = new SocketPeer(new IPEndPoint(IPAddress.IPv6Loopback, port));
        await acceptor.Done;

        IPEndPoint[] expected = [new(IPAddress.Loopback.MapToIPv6(), port), new(IPAddress.IPv6Loopback, port)];
        Assert.Equal(expected, acceptor.LocalEndPoints.OrderByDescending(address => ((IPEndPoint)address!).Address.IsIPv4MappedToIPv6));
        await bound.CloseAsync();
    }

    [Fact]
    public void An_address_of_IPv6_leaves_the_port_of_IPv4_free()
    {
        using var group = new LoopGroup(1, backends: _backends);
        var ipv6 = group.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0), backlog: 16);

        var ipv4 = group.Bind(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)ipv6.LocalEndPoint).Port), backlog: 16);

        ipv6.CloseUnstarted();
        ipv4.CloseUnstarted();
    }

    // The descriptor is the loops' to close: the object that made it forgets it.
    private static (ulong Handle, EndPoint Local) Listening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(AnyPort);
        socket.Listen();
        var (handle, local) = ((ulong)socket.Handle, socket.LocalEndPoint!);
        socket.SafeHandle.SetHandleAsInvalid();
        return (handle, local);
    }

    // Accepts and closes.
    private sealed class Acceptor(int expected) : IConnectionAcceptor
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public ConcurrentQueue<Loop> Loops { get; } = new();

        public ConcurrentQueue<bool> WasCurrent { get; } = new();

        public ConcurrentQueue<EndPoint?> RemoteEndPoints { get; } = new();

        public ConcurrentQueue<EndPoint?> LocalEndPoints { get; } = new();

        public Task Done => _done.Task;

        public void Accept(Loop loop, Transport transport)
        {
            Loops.Enqueue(loop);
            WasCurrent.Enqueue(loop.IsCurrent);
            RemoteEndPoints.Enqueue(transport.RemoteEndPoint);
            LocalEndPoints.Enqueue(transport.LocalEndPoint);
            transport.Close();
            if (Interlocked.Increment(ref _count) == expected)
            {
                _done.SetResult();
            }
        }
    }
}

/// <summary>Makes so many backends, and then the system has no more.</summary>
internal sealed class ScarceFactory(int count) : BackendFactory
{
    private readonly List<ProbeBackend> _made = [];

    public int DisposedCount => _made.Count(backend => backend.IsDisposed);

    public override Backend Create()
    {
        if (_made.Count == count)
        {
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }

        var backend = new ProbeBackend();
        _made.Add(backend);
        return backend;
    }

    public override Listener[] Bind(EndPoint endPoint, int backlog, int loopCount, UnixFileMode? unixSocketMode) =>
        throw new NotSupportedException();

    public override Listener Adopt(ulong handle) => throw new NotSupportedException();
}

[SupportedOSPlatform("linux")]
public sealed class EpollBindTests() : BindTests(new EpollFactory());

public sealed class PortableBindTests() : BindTests(new PortableFactory());

/// <summary>The kind of backend that servers get when nobody says which.</summary>
public sealed class BackendFactoryTests : IDisposable
{
    private readonly bool _wasOn = AppContext.TryGetSwitch(BackendFactory.UsePortableSwitch, out var isOn) && isOn;

    public void Dispose() => AppContext.SetSwitch(BackendFactory.UsePortableSwitch, _wasOn);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_switch_chooses_and_elsewhere_than_on_Linux_there_is_one_kind(bool isPortableWanted)
    {
        AppContext.SetSwitch(BackendFactory.UsePortableSwitch, isPortableWanted);

        var isPortable = BackendFactory.ForThisSystem() is PortableFactory;

        Assert.Equal(isPortableWanted || !OperatingSystem.IsLinux(), isPortable);
    }
}
