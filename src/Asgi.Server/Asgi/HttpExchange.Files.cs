// Files as content: handed to the stream to be sent without a copy, or read into its memory where that is cheaper or all that is possible.
// Called by the application, on any thread.
namespace Asgi;

public sealed partial class HttpExchange
{
    /// <summary>
    /// The largest part of a file that is read into the block its head is written to: one gathered send then costs less than a send and a
    /// sendfile, and the read is answered from the page cache.
    /// </summary>
    internal const int FileCopyMax = 16 * 1024;

    /// <summary>ASGI's <c>http.response.pathsend</c> and <c>.zerocopysend</c>: sends a file, or a part of it, as content.</summary>
    /// <param name="file">The file, and whether more content follows.</param>
    /// <param name="cancellationToken">Cancelling a send that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the file was handed to the operating system whole, or the client is gone.</returns>
    /// <exception cref="InvalidOperationException">
    /// The response was not started, is complete, must not have content, or the file does not have the length announced.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the file.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file cannot be opened or read, or has become shorter.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read, or is a directory.</exception>
    public ValueTask SendAsync(in ResponseFile file, CancellationToken cancellationToken = default)
    {
        Demand(_state is ResponseState.Held or ResponseState.Started);
        cancellationToken.ThrowIfCancellationRequested();
        return SendFileAsync(OpenedFile.Open(file), file.MoreBody, cancellationToken);
    }

    /// <summary>Sends a file that is open; it is the exchange's to release, whatever comes.</summary>
    internal ValueTask SendFileAsync(in OpenedFile file, bool moreBody, CancellationToken cancellationToken)
    {
        if (Scope.IsHead || file.Count is <= FileCopyMax)
        {
            return CopyNow(file, moreBody, cancellationToken);
        }

        return file.Count is { } count && _stream.CanSendFiles
            ? SendByStream(file, count, moreBody, cancellationToken)
            : CopyAsync(file, moreBody, cancellationToken);
    }

    private ValueTask SendByStream(in OpenedFile file, long count, bool moreBody, CancellationToken cancellationToken)
    {
        var isTaken = false;
        var written = _written;
        try
        {
            // Counted first: a head that is written with the last content knows the length.
            var isHeld = _state == ResponseState.Held;
            CountContent(count);
            if (isHeld)
            {
                WriteHead(isWhole: !moreBody && !_start.Trailers);
            }

            _stream.WriteFile(file.Handle, file.Offset, count, file.OwnsHandle);
            isTaken = true;
        }
        finally
        {
            if (!isTaken)
            {
                _written = written;
                file.Release();
            }
        }

        if (!moreBody)
        {
            EndBody();
        }

        return WaitUntilSent(cancellationToken);
    }

    // A part that fits a block or so, or one that is only counted.
    private ValueTask CopyNow(in OpenedFile file, bool moreBody, CancellationToken cancellationToken)
    {
        try
        {
            if (Scope.IsHead)
            {
                CountContent(file.Count ?? 0);
            }
            else
            {
                for (long sent = 0, count = file.Count!.Value; sent < count;)
                {
                    var memory = GetMemory();
                    var read = RandomAccess.Read(file.Handle, Fit(memory, count - sent).Span, file.Offset + sent);
                    DemandRead(read);
                    Advance(read);
                    sent += read;
                }
            }
        }
        finally
        {
            file.Release();
        }

        return SendAsync(new ResponseBody(default, moreBody), cancellationToken);
    }

    private async ValueTask CopyAsync(OpenedFile file, bool moreBody, CancellationToken cancellationToken)
    {
        try
        {
            for (long sent = 0; file.Count is null || sent < file.Count;)
            {
                var memory = Fit(GetMemory(), (file.Count ?? long.MaxValue) - sent);
                var read = await RandomAccess.ReadAsync(file.Handle, memory, file.Offset + sent, cancellationToken).ConfigureAwait(false);
                if (read == 0 && file.Count is null)
                {
                    break;
                }

                DemandRead(read);
                Advance(read);
                sent += read;
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            file.Release();
        }

        if (!moreBody)
        {
            await SendAsync(default, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Memory<byte> Fit(Memory<byte> memory, long count) => memory.Length > count ? memory[..(int)count] : memory;

    private static void DemandRead(int read)
    {
        if (read == 0)
        {
            throw new EndOfStreamException("The file has become shorter while it was sent.");
        }
    }
}
