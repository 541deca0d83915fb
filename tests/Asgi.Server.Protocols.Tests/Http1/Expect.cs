// The two outcomes nearly every test of the HTTP/1 machine expects.

using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

internal static class Expect
{
    public static void Fault(Wire wire, int status, string name)
    {
        WireRun run = WireRun.Of(wire);
        Assert.NotNull(run.Fault);
        Assert.Equal((status, name), (run.Fault.Status, run.Fault.Name));
        Assert.Empty(run.Messages);
    }

    public static WireMessage Complete(Wire wire)
    {
        WireMessage message = WireRun.Of(wire).Message;
        Assert.True(message.IsComplete);
        return message;
    }
}
