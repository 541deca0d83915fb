// The connections of one loop, linked through themselves: one more costs no object. On the thread of the loop.
namespace Asgi.Server.Connections;

internal sealed class ConnectionList
{
    public Connection? First { get; private set; }

    public void Add(Connection connection)
    {
        connection.NextOfLoop = First;
        if (First is not null)
        {
            First.PreviousOfLoop = connection;
        }

        First = connection;
    }

    public void Remove(Connection connection)
    {
        if (connection.NextOfLoop is not null)
        {
            connection.NextOfLoop.PreviousOfLoop = connection.PreviousOfLoop;
        }

        if (connection.PreviousOfLoop is not null)
        {
            connection.PreviousOfLoop.NextOfLoop = connection.NextOfLoop;
        }
        else
        {
            First = connection.NextOfLoop;
        }

        connection.PreviousOfLoop = connection.NextOfLoop = null;
    }
}
