// What applications want done when a connection is over. Made when somebody asks; added to on any thread, run once, from the ready list.
namespace Asgi.Server.Connections;

internal sealed class ConnectionCompletion(Connection connection)
{
    private static readonly Callback Over = new(_ => Task.CompletedTask, "");

    private Callback? _last;

    /// <exception cref="InvalidOperationException">The connection is over.</exception>
    public void Add(Func<object, Task> callback, object state)
    {
        var added = new Callback(callback, state);
        do
        {
            added.Before = Volatile.Read(ref _last);
            if (added.Before == Over)
            {
                throw new InvalidOperationException("The connection is over: no callback is called any more.");
            }
        }
        while (Interlocked.CompareExchange(ref _last, added, added.Before) != added.Before);
    }

    /// <summary>Calls them, and lets the connection leave when they are done. Once, loop thread.</summary>
    /// <returns>False when there are none.</returns>
    public bool TryBegin()
    {
        if (Interlocked.Exchange(ref _last, Over) is not { } last)
        {
            return false;
        }

        // Nobody reads what the call itself throws: each callback is guarded.
        new ConnectionCall(connection, () => CallAllAsync(last), _ => connection.Leave()).Begin();
        return true;
    }

    private async Task CallAllAsync(Callback last)
    {
        for (var callback = last; callback is not null; callback = callback.Before)
        {
            try
            {
                await callback.Run(callback.State).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                connection.Log.ApplicationFailed(connection.Id, exception);
            }
        }
    }

    private sealed class Callback(Func<object, Task> run, object state)
    {
        public Func<object, Task> Run => run;

        public object State => state;

        public Callback? Before { get; set; }
    }
}
