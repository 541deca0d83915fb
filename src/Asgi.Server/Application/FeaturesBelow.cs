// The features of a connection that are made when they are asked for, behind those that stand in a collection: a socket costs a descriptor
// and some system calls, and few ask for it. One per connection with middleware, and for each callback of a handshake; any thread.
using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal sealed class FeaturesBelow(IConnectionInfo connection) : IFeatureCollection
{
    public bool IsReadOnly => true;

    public int Revision => 0;

    public object? this[Type key]
    {
        get => connection.GetFeature(key);
        set => throw new NotSupportedException("What is set stands in the collection in front.");
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() =>
        Enumerable.Empty<KeyValuePair<Type, object>>().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
