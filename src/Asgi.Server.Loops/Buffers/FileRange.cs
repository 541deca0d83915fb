// A part of a file on its way to a socket. Made by whoever writes a response, on any thread; sent and let go of on the loop's.
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Buffers;

/// <summary>Bytes of a file that are queued, and a hold on its handle until they are sent or never will be.</summary>
internal sealed class FileRange
{
    private readonly bool _ownsHandle;
    private volatile bool _isDone;

    /// <param name="handle">An open file that can be read at an offset.</param>
    /// <param name="offset">Where the range starts, in bytes.</param>
    /// <param name="length">Its length in bytes, greater than 0.</param>
    /// <param name="ownsHandle">Whether the file is closed with the range; else its owner may close it and it stays open so long.</param>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public FileRange(SafeFileHandle handle, long offset, long length, bool ownsHandle)
    {
        Handle = handle;
        Offset = offset;
        Length = length;
        _ownsHandle = ownsHandle;
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
    }

    public SafeFileHandle Handle { get; }

    /// <summary>Where the unsent bytes start. Loop thread.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes not sent yet. Loop thread.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the range has left the send buffer: it is sent, or its connection is gone. Any thread.</summary>
    public bool IsDone => _isDone;

    /// <summary>So many bytes are sent.</summary>
    public void Consume(long sent)
    {
        Offset += sent;
        Length -= sent;
    }

    /// <summary>Lets go of the handle. Once.</summary>
    public void Release()
    {
        _isDone = true;
        Handle.DangerousRelease();
        if (_ownsHandle)
        {
            Handle.Dispose();
        }
    }
}
