// A handshake as SslStream makes it, by the rules of the endpoint. Run as a TlsOperation: on the loop, or from the ready list and then on
// whatever thread the application's callbacks go to.
using System.Buffers;
using System.Net.Security;

namespace Asgi.Server.Connections;

internal sealed class TlsHandshake : IDisposable
{
    private readonly Connection _connection;
    private readonly TlsRules _rules;
    private readonly TlsWire _wire;
    private readonly CancellationTokenSource? _cancellation;

    public TlsHandshake(Connection connection, TlsRules rules, TlsWire wire)
    {
        _connection = connection;
        _rules = rules;
        _wire = wire;
        _cancellation = RunsApplicationCode ? new CancellationTokenSource() : null;
        Info = new TlsInfo(connection, wire);
    }

    public TlsInfo Info { get; }

    /// <summary>Whether application code runs in it.</summary>
    public bool RunsApplicationCode => _rules.RunsApplicationCode || _rules.Select is not null || _rules.ClientHello is not null;

    /// <summary>Once; the first record is there.</summary>
    public Task RunAsync()
    {
        if (_rules.ClientHello is { } clientHello)
        {
            var record = new byte[_wire.Input.RecordLength];
            _wire.Input.CopyTo(record);
            clientHello(_connection, new ReadOnlySequence<byte>(record));
        }

        var cancelled = _cancellation?.Token ?? default;
        if (_rules.Select is not null)
        {
            return Info.Stream.AuthenticateAsServerAsync(SelectAsync, null, cancelled);
        }

        var choice = _rules.Choice!();
        Info.Chosen(choice);
        return Info.Stream.AuthenticateAsServerAsync(choice.Options, cancelled);
    }

    /// <summary>The connection is gone, or its time is over: tells application code, from the ready list. Loop thread.</summary>
    public void Cancel()
    {
        if (_cancellation is { } cancellation)
        {
            new ConnectionCall(_connection, cancellation.CancelAsync, static _ => { }).Begin();
        }
    }

    /// <summary>It is over, and has not come to a transport.</summary>
    public void Dispose() => Info.Stream.Dispose();

    private async ValueTask<SslServerAuthenticationOptions> SelectAsync(
        SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancellationToken)
    {
        Info.Named(hello.ServerName);
        var choice = await _rules.Select!(_connection, hello, cancellationToken).ConfigureAwait(false);
        Info.Chosen(choice);
        return choice.Options;
    }
}
