// What a connection holds between requests. The machine, the stream, the exchange and what an application keeps with it are several times
// as large as the rest of a connection; one that rests has none of them, and its next byte makes them anew. Nothing of them is handed to
// another connection: whoever has kept something of an old request cannot meet another client by it. On the thread of its loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver
{
    /// <summary>
    /// How long after a response a connection is ready for the next request with all it takes, in milliseconds: clients that ask again
    /// mostly do so at once, and a connection in use allocates nothing.
    /// </summary>
    public const int RestAfterMilliseconds = 1000;

    private readonly IAsgiApplication _application;
    private readonly DefaultFields _defaultFields;
    private long _idleSince;

    /// <summary>
    /// Whether a stream is that of the connection's requests. What is posted for one that the connection has let go of came too late.
    /// </summary>
    public bool IsCurrent(Http1Stream stream) => _stream == stream;

    // The time until the next request begins now. Its first part is that of a rest, so that there is one deadline for both.
    private void BeginIdle()
    {
        _idleSince = _connection.Loop.NowMilliseconds;
        var keepAlive = _connection.Limits.KeepAliveTimeoutMilliseconds;
        _connection.SetDeadline(_state == State.Resting ? keepAlive : Math.Min(RestAfterMilliseconds, keepAlive));
    }

    private void OnIdle(long nowMilliseconds)
    {
        var left = _idleSince + _connection.Limits.KeepAliveTimeoutMilliseconds - nowMilliseconds;
        if (left > 0)
        {
            // One whose client still takes the last response, or has sent empty lines, may rest later.
            if (_state == State.Head && Machine.IsFresh && !_connection.IsUnsent && _connection.Input.IsEmpty)
            {
                Rest();
            }

            _connection.SetDeadline(_state == State.Resting ? left : Math.Min(RestAfterMilliseconds, left));
        }
        else if (_connection.IsUnsent)
        {
            // Its client takes the last response still, at a rate that is watched: the next request has its time after that.
            BeginIdle();
        }
        else
        {
            End(mustLinger: false, ConnectionEndReason.KeepAliveTimeout);
        }
    }

    private void Rest()
    {
        _state = State.Resting;
        if (_grace is not null)
        {
            _connection.Loop.Timers.Remove(_grace);
            _grace = null;
        }

        Machine = null!;
        Content = null!;
        _stream = null!;
        _scope = null!;
        _exchange = null!;
        _calls = null!;
        _connection.Rest();
    }

    private void Wake()
    {
        _state = State.Head;
        Machine = new Http1Machine(_connection.Limits.Http1);
        Content = new Http1Content(_connection, Machine);
        _stream = new Http1Stream(_connection, this, Machine, Content, _defaultFields);
        _scope = new HttpScope(Machine.Head.Fields, _connection) { Scheme = _connection.Scheme };
        _exchange = new HttpExchange(_stream, _scope, requestsBefore: (uint)_requestCount);
        _calls = new ExchangeCalls(_application, _exchange, this);
    }
}
