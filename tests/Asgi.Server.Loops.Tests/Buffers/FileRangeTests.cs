// Parts of files in the send buffer: they keep their place between bytes, and let go of their file once.

using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Tests.Buffers;

public sealed class FileRangeTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private readonly BlockPool _pool = new();
    private readonly SendBuffer _buffer;

    public FileRangeTests() => _buffer = new SendBuffer(_pool);

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_gather_ends_before_a_file()
    {
        var block = _pool.Rent();
        _buffer.Append(new OutputRange(block, 0, 10, Give: false));
        _buffer.Append(new OutputRange(new FileRange(Open(), 0, 5, ownsHandle: true)));
        _buffer.Append(new OutputRange(block, 10, 30, Give: true));

        Assert.Equal((1, true), Gather());
        Assert.Null(_buffer.FirstFile);
        Assert.Equal((30L, 1), (_buffer.Length, _buffer.FileCount));

        _buffer.Consume(10);
        Assert.Equal((0, true), Gather());
        Assert.Equal(5, _buffer.FirstFile?.Length);

        _buffer.ConsumeFile(5);
        Assert.Equal((1, false), Gather());
        Assert.Equal((20L, 0), (_buffer.Length, _buffer.FileCount));
        _buffer.Consume(20);
        Assert.Equal((true, 0), (_buffer.IsEmpty, _pool.RentedCount));
    }

    [Fact]
    public void A_file_is_sent_in_parts_and_closed_with_the_last()
    {
        var handle = Open();
        var file = new FileRange(handle, 3_000_000_000, 3_000_000_000, ownsHandle: true);
        _buffer.Append(new OutputRange(file));

        _buffer.ConsumeFile(2_000_000_000);
        Assert.Equal((5_000_000_000, 1_000_000_000, false), (file.Offset, file.Length, file.IsDone));
        Assert.False(handle.IsClosed);

        _buffer.ConsumeFile(1_000_000_000);
        Assert.True(file.IsDone && handle.IsClosed && _buffer.IsEmpty);
    }

    [Fact]
    public void An_empty_range_behind_a_file_gives_its_block_when_the_file_is_sent()
    {
        _buffer.Append(new OutputRange(new FileRange(Open(), 0, 5, ownsHandle: true)));
        _buffer.Append(new OutputRange(_pool.Rent(), 7, 7, Give: true));
        Assert.Equal(1, _pool.RentedCount);

        _buffer.ConsumeFile(5);

        Assert.Equal((true, 0), (_buffer.IsEmpty, _pool.RentedCount));
    }

    [Fact]
    public void A_file_behind_a_file_waits_for_it()
    {
        var first = new FileRange(Open(), 0, 5, ownsHandle: true);
        var second = new FileRange(Open(), 0, 6, ownsHandle: true);
        _buffer.Append(new OutputRange(first));
        _buffer.Append(new OutputRange(second));

        Assert.Same(first, _buffer.FirstFile);
        _buffer.ConsumeFile(5);
        Assert.Same(second, _buffer.FirstFile);
        _buffer.ConsumeFile(6);
        Assert.Null(_buffer.FirstFile);
    }

    [Fact]
    public void What_is_forgotten_is_closed()
    {
        var handle = Open();
        var file = new FileRange(handle, 0, 5, ownsHandle: true);
        _buffer.Append(new OutputRange(file));

        _buffer.Clear();

        Assert.True(file.IsDone && handle.IsClosed);
        Assert.Equal(0, _buffer.FileCount);
    }

    [Fact]
    public void A_handle_that_its_owner_closes_stays_open_until_the_range_is_done()
    {
        var handle = Open();
        var descriptor = handle.DangerousGetHandle();
        var file = new FileRange(handle, 0, 5, ownsHandle: false);
        _buffer.Append(new OutputRange(file));

        handle.Dispose();
        Assert.Equal(_path, FileOf(descriptor));

        _buffer.ConsumeFile(5);
        Assert.NotEqual(_path, FileOf(descriptor));
    }

    [Fact]
    public void A_closed_file_is_refused()
    {
        var handle = Open();
        handle.Dispose();

        Assert.Throws<ObjectDisposedException>(() => new FileRange(handle, 0, 1, ownsHandle: false));
    }

    private static string? FileOf(nint descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;

    private SafeFileHandle Open() => File.OpenHandle(_path);

    private (int Count, bool IsBeforeFile) Gather()
    {
        var count = _buffer.Gather(new IoVector[SendBuffer.GatherCountMax], out var isBeforeFile);
        return (count, isBeforeFile);
    }
}
