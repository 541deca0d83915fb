// The first stage of a connection behind a TCP balancer: reads the PROXY header, notes whom it names, and hands the connection over to the
// driver that reads the rest. The bytes behind the header stay where they are. On the thread of the connection's loop.
using System.Net.Sockets;
using System.Text;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.ProxyProtocol;

namespace Asgi.Server.Connections;

internal sealed class ProxyProtocolDriver(
    Connection connection, ProxyProtocolRules rules, Func<Connection, ConnectionDriver> createNext) : ConnectionDriver
{
    /// <summary>Bytes of sun_path, with its NUL.</summary>
    private const int UnixPathLengthMax = 108;

    private bool _isOver;

    public override bool WantsInput => !_isOver;

    public override bool UsesInput => false;

    public override void OnStarted()
    {
        if (rules.Trusts(connection.Transport.RemoteEndPoint))
        {
            connection.SetDeadline(rules.TimeoutMilliseconds);
        }
        else if (rules.IsRequired)
        {
            connection.Log.UntrustedProxy(connection.Id, connection.Transport.RemoteEndPoint);
            Refuse("it is not a trusted proxy");
        }
        else
        {
            // A header of this peer's is not read as one: whoever may write it could be anybody.
            HandOver();
        }
    }

    public override void OnReceived()
    {
        var happened = ProxyHeaderReader.Read(
            connection.Input.Raw, rules.LengthMax, out var header, out var consumed, out var fault);
        switch (happened)
        {
            case ProxyEvent.Header:
                connection.Input.SkipRaw(consumed);
                connection.Input.ReleaseIfUnused();
                Take(header!);
                HandOver();
                break;
            case ProxyEvent.Absent when !rules.IsRequired:
                HandOver();
                break;
            case ProxyEvent.Absent:
                connection.Log.ProxyHeaderMissing(connection.Id, connection.Transport.RemoteEndPoint);
                Refuse("it has sent no header");
                break;
            case ProxyEvent.Fault:
                connection.Log.BadProxyHeader(connection.Id, connection.Transport.RemoteEndPoint, fault!.Message, fault.Section);
                Refuse(fault.Message);
                break;
        }
    }

    // A balancer that only looks whether somebody listens.
    public override void OnEndOfInput() => End(ConnectionEndReason.ClientClosed);

    public override void OnPeerShutdown()
    {
    }

    public override void OnSent()
    {
    }

    public override void OnDeadline(long nowMilliseconds)
    {
        connection.Log.ProxyHeaderTimedOut(connection.Id, connection.Transport.RemoteEndPoint);
        Break();
    }

    public override void ShutDown() => End(connection.ShutDownReason);

    public override void OnClosed()
    {
        _isOver = true;
        connection.Release();
    }

    private void Take(ProxyHeader header)
    {
        connection.ProxyHeader = header;
        if (header.Source is not null)
        {
            connection.SetEndPoints(header.Source, header.Destination!);
        }
        else if (header.SourcePath is not null)
        {
            connection.SetEndPoints(ToEndPoint(header.SourcePath), ToEndPoint(header.DestinationPath!));
        }
    }

    // A path that is no UTF-8 may have become longer than one can be.
    private static UnixDomainSocketEndPoint? ToEndPoint(string path) =>
        path.Length == 0 || Encoding.UTF8.GetByteCount(path) >= UnixPathLengthMax ? null : new UnixDomainSocketEndPoint(path);

    private void HandOver()
    {
        _isOver = true;
        connection.HandOver(createNext(connection));
    }

    private void Refuse(string reason)
    {
        if (rules.Reminder.TryTell(connection.Loop.NowMilliseconds))
        {
            connection.Log.ProxyProtocolRefuses(connection.LocalEndPoint, connection.Transport.RemoteEndPoint, reason);
        }

        Break();
    }

    // With RST: nothing was promised, and a peer that goes on sending need not be listened to.
    private void Break()
    {
        _isOver = true;
        connection.Abort(ConnectionEndReason.InvalidProxyHeader);
    }

    private void End(ConnectionEndReason reason)
    {
        _isOver = true;
        connection.CloseAfterSend(mustLinger: false, reason);
    }
}
