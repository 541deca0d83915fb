// The files that certificates were read from, with what was in them: to tell later whether they have changed. Used where certificates are
// loaded and by CertificateReload, one at a time.
using System.Security.Cryptography;

namespace Asgi.Server.Hosting;

/// <param name="root">The folder that relative paths begin at: the app's content root.</param>
internal sealed class CertificateFiles(string root)
{
    /// <summary>The longest file that is read: chains of a hundred certificates are shorter.</summary>
    public const int LengthMax = 1024 * 1024;

    private readonly Dictionary<string, string> _read = new(StringComparer.Ordinal);

    public string Root => root;

    /// <summary>The files that were read, whether they could be or not.</summary>
    public IReadOnlyCollection<string> Paths => _read.Keys;

    /// <summary>What tells the content of all of them from another.</summary>
    public string Fingerprint => Join(_read.Values);

    /// <summary>Reads a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is too long.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public byte[] Read(string path)
    {
        var full = Path.GetFullPath(path, root);
        _read[full] = Missing;
        var content = ReadAtMost(full);
        _read[full] = Hash(content);
        return content;
    }

    /// <summary>What the fingerprint would be if the same files were read now.</summary>
    public string ReadFingerprint() => Join(_read.Keys.Select(path =>
    {
        try
        {
            return Hash(ReadAtMost(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Missing;
        }
    }));

    private const string Missing = "-";

    private static string Join(IEnumerable<string> hashes) => string.Join(' ', hashes);

    private static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content));

    // Links are followed, of the file and of folders above it: what counts is what is found there.
    private static byte[] ReadAtMost(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var content = new byte[Math.Min(file.Length, LengthMax) + 1];
        var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return length <= LengthMax
            ? content[..length]
            : throw new IOException($"The file is longer than {LengthMax} bytes, which no certificate is.");
    }
}
