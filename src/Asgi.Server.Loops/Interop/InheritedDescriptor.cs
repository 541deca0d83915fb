// A descriptor that the process inherited, made like those the server makes itself. Called by listeners on the host's thread.
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Asgi.Server.Loops.Interop;

[SupportedOSPlatform("linux")]
internal static class InheritedDescriptor
{
    /// <summary>
    /// Who made it may have meant it for another kind of server: ours never waits in a system call and leaves nothing to child processes.
    /// </summary>
    /// <exception cref="SocketException">The system refuses.</exception>
    public static void Prepare(int descriptor)
    {
        Errno.Demand(Libc.DescriptorControl(descriptor, Constants.SetDescriptorFlags, Constants.DescriptorCloseOnExec));
        var flags = Errno.Demand(Libc.DescriptorControl(descriptor, Constants.GetStatusFlags, 0));
        Errno.Demand(Libc.DescriptorControl(descriptor, Constants.SetStatusFlags, flags | Constants.StatusNonBlocking));
    }
}
