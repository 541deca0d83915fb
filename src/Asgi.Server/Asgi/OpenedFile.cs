// A file that is to be sent, open and with its range checked. Made before the response begins, so that a file that is missing or too short
// is still the application's to answer. Any thread.
using Microsoft.Win32.SafeHandles;

namespace Asgi;

/// <param name="Handle">The open file.</param>
/// <param name="Offset">Where to start, in bytes.</param>
/// <param name="Count">Bytes to send; null for what a read gives until its end, which nobody knows before.</param>
/// <param name="OwnsHandle">Whether the server closes the file.</param>
internal readonly record struct OpenedFile(SafeFileHandle Handle, long Offset, long? Count, bool OwnsHandle)
{
    /// <summary>Opens a file and checks its range.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read, or is a directory.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the file.</exception>
    public static OpenedFile Open(in ResponseFile file)
    {
        // Others may go on writing to it, as with the framework's own fallback.
        var handle = file.Handle ?? File.OpenHandle(file.Path!, share: FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var length = RandomAccess.GetLength(handle);
            ArgumentOutOfRangeException.ThrowIfNegative(file.Offset, "offset");
            ArgumentOutOfRangeException.ThrowIfGreaterThan(file.Offset, length, "offset");
            if (file.Count is { } count)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(count));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(count, length - file.Offset, nameof(count));
            }

            // Files of a kernel's own (proc) have no length and content all the same.
            var isLengthKnown = length > 0 || file.Count is not null;
            return new OpenedFile(handle, file.Offset, isLengthKnown ? file.Count ?? length - file.Offset : null, file.Handle is null);
        }
        catch
        {
            if (file.Handle is null)
            {
                handle.Dispose();
            }

            throw;
        }
    }

    /// <summary>Closes the file if it is the server's to close.</summary>
    public void Release()
    {
        if (OwnsHandle)
        {
            Handle.Dispose();
        }
    }
}
