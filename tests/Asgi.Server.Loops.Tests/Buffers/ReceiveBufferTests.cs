// Received bytes: raw, head and content over a chain of blocks.

using System.Buffers;
using System.Runtime.InteropServices;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests.Buffers;

public sealed class ReceiveBufferTests
{
    private readonly BlockPool _pool = new();
    private readonly ReceiveBuffer _buffer;
    private byte _next;

    public ReceiveBufferTests() => _buffer = new ReceiveBuffer(_pool);

    [Fact]
    public void An_empty_buffer_holds_no_block()
    {
        Assert.Equal((true, 0, 0), (_buffer.IsEmpty, _buffer.RawLength, _pool.RentedCount));

        _buffer.GetReceiveSpan();
        Assert.Equal(1, _pool.RentedCount);
        _buffer.ReleaseIfUnused();

        Assert.Equal((true, 0), (_buffer.IsEmpty, _pool.RentedCount));
    }

    [Fact]
    public void Raw_bytes_are_contiguous_however_many_there_are()
    {
        for (var received = 0; received < 300_000; received += 5000)
        {
            Assert.InRange(_buffer.GetReceiveSpan().Length, ReceiveBuffer.ReceiveSizeMin, int.MaxValue);
            Receive(ReceiveBuffer.ReceiveSizeMin);
        }

        Assert.Equal(Bytes(0, _buffer.RawLength), _buffer.Raw.ToArray());
        Assert.Equal(1, _pool.RentedCount);
        _buffer.Clear();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void A_head_stays_where_it_is_until_the_message_is_released()
    {
        Receive(100);
        var (array, start) = (_buffer.RawArray, _buffer.RawStart);
        _buffer.ConsumeHead(100);
        for (var i = 0; i < 100; i++)
        {
            Receive(2000);
            _buffer.CommitContent(2000, 2000);
            _buffer.AdvanceContent(2000);
        }

        Assert.Equal(Bytes(0, 100), array.AsSpan(start, 100).ToArray());
        Assert.InRange(_pool.RentedCount, 1, 2);
        _buffer.ReleaseMessage();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void Content_spans_blocks_and_they_are_returned_as_it_is_consumed()
    {
        Receive(10);
        _buffer.ConsumeHead(10);
        for (var i = 0; i < 50; i++)
        {
            Receive(2000);
            _buffer.CommitContent(2000, 2000);
        }

        Assert.Equal(100_000, _buffer.ContentLength);
        Assert.Equal(Bytes(10, 100_000), _buffer.Content.ToArray());
        var held = _pool.RentedCount;
        Assert.InRange(held, 100_000 / Block.DefaultSize, (100_000 / Block.DefaultSize) + 3);

        _buffer.AdvanceContent(90_000);
        Assert.Equal(Bytes(90_010, 10_000), _buffer.Content.ToArray());
        Assert.InRange(_pool.RentedCount, 1, 3);
        _buffer.DiscardContent();
        Assert.Equal(0, _buffer.ContentLength);
        _buffer.ReleaseMessage();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void The_next_message_begins_behind_the_last()
    {
        Receive(30);
        _buffer.ConsumeHead(10);
        _buffer.CommitContent(5, 5);
        _buffer.ReleaseMessage();

        Assert.Equal(Bytes(15, 15), _buffer.Raw.ToArray());
        _buffer.ConsumeHead(15);
        Assert.Equal(0, _buffer.ContentLength);
        _buffer.ReleaseMessage();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void Skipped_bytes_leave_room()
    {
        for (var i = 0; i < 1000; i++)
        {
            Receive(100);
            _buffer.SkipRaw(100);
        }

        Assert.Equal(0, _buffer.RawLength);
        Assert.Equal(1, _pool.RentedCount);
        _buffer.ReleaseIfUnused();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void Random_operations_agree_with_a_naive_model() => Seeds.Run(25, seed =>
    {
        var run = new RandomRun(new Random(seed));
        for (var operation = 0; operation < 300; operation++)
        {
            run.Step();
        }

        run.End();
    });

    private void Receive(int count)
    {
        var span = _buffer.GetReceiveSpan();
        for (var i = 0; i < count; i++)
        {
            span[i] = _next++;
        }

        _buffer.Commit(count);
    }

    private static byte[] Bytes(int first, int count) => [.. Enumerable.Range(first, count).Select(i => (byte)i)];

    // Messages as a machine would take them: a head, content with framing that vanishes, and perhaps something skipped at the end.
    private sealed class RandomRun(Random random)
    {
        // Enough for a head beyond a block and a chain of blocks.
        private const int HeldMax = 5 * Block.DefaultSize;

        private readonly BlockPool _pool = new();
        private readonly List<byte> _raw = [];
        private readonly List<byte> _content = [];
        private ReceiveBuffer? _made;
        private (byte[] Array, int Start, byte[] Bytes)? _head;
        private (ReadOnlySequence<byte> Sequence, byte[] Bytes) _lent = (default, []);
        private byte _next;

        private ReceiveBuffer Buffer => _made ??= new ReceiveBuffer(_pool);

        public void Step()
        {
            switch (random.Next(8))
            {
                case 0 or 1 or 2 when _raw.Count + _content.Count < HeldMax:
                    Receive();
                    break;
                case 3 when _head is null && _raw.Count > 0:
                    ConsumeHead();
                    break;
                case 4 or 5 when _head is not null && _raw.Count > 0:
                    CommitContent();
                    break;
                case 6 when _head is not null:
                    Advance();
                    break;
                case 7 when _head is not null && random.Next(4) == 0:
                    Release();
                    break;
                case 7:
                    Buffer.ReleaseIfUnused();
                    break;
            }

            Check();
        }

        public void End()
        {
            Buffer.Clear();
            Assert.Equal((0, 0, true), (_pool.RentedCount, Buffer.RawLength, Buffer.IsEmpty));
        }

        private void Receive()
        {
            var span = Buffer.GetReceiveSpan();
            var count = random.Next(4) == 0 ? span.Length : random.Next(Math.Min(span.Length, 3000) + 1);
            for (var i = 0; i < count; i++)
            {
                span[i] = _next;
                _raw.Add(_next++);
            }

            Buffer.Commit(count);
        }

        private void ConsumeHead()
        {
            var length = random.Next(1, _raw.Count + 1);
            _head = (Buffer.RawArray, Buffer.RawStart, [.. _raw[..length]]);
            Buffer.ConsumeHead(length);
            _raw.RemoveRange(0, length);
        }

        private void CommitContent()
        {
            // Framing lies behind content only where all raw bytes are used; otherwise the coding is over.
            var consumed = random.Next(2) == 0 ? _raw.Count : random.Next(1, _raw.Count + 1);
            var decoded = consumed == _raw.Count ? random.Next(consumed + 1) : consumed;
            Buffer.CommitContent(consumed, decoded);
            _content.AddRange(_raw[..decoded]);
            _raw.RemoveRange(0, consumed);
        }

        // What was lent stays as it is until it is released, whatever arrives meanwhile.
        private void Advance()
        {
            Assert.True(_lent.Sequence.ToArray().AsSpan().SequenceEqual(_lent.Bytes));
            var consumed = random.Next(_lent.Bytes.Length + 1);
            Buffer.AdvanceContent(consumed);
            _content.RemoveRange(0, consumed);
            _lent = (Buffer.Content, [.. _content]);
        }

        private void Release()
        {
            Buffer.ReleaseMessage();
            _head = null;
            _content.Clear();
            _lent = (default, []);
        }

        private void Check()
        {
            Assert.Equal((_raw.Count, _content.Count), (Buffer.RawLength, (int)Buffer.ContentLength));
            Assert.True(Buffer.Raw.SequenceEqual(CollectionsMarshal.AsSpan(_raw)));
            Assert.True(Buffer.Content.ToArray().AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(_content)));
            Assert.True(_head is not { } head || head.Array.AsSpan(head.Start, head.Bytes.Length).SequenceEqual(head.Bytes));
        }
    }
}
