// The feature collection. Its own features are the object itself, unless the application has put another in their place for this request;
// slots make both cases an index and a bit. Connection-level features are behind it, reachable by Get only.
using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal partial class HostedRequest : IFeatureCollection
{
    // A bit per slot that is the object itself.
    private readonly ulong _ownSlots;
    private object?[]? _replacements;
    private List<KeyValuePair<Type, object>>? _others;
    private ulong _replaced;
    private int _revision;

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _revision;

    object? IFeatureCollection.this[Type key]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(key);
            return FeatureSlots.TryGet(key, out var slot) ? GetSlot(slot) : GetOther(key);
        }

        set
        {
            ArgumentNullException.ThrowIfNull(key);
            if (FeatureSlots.TryGet(key, out var slot))
            {
                SetSlot(slot, value);
            }
            else
            {
                SetOther(key, value);
            }
        }
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default
    {
        var slot = FeatureSlots.Of<TFeature>.Index;
        return (TFeature?)(slot >= 0 ? GetSlot(slot) : GetOther(typeof(TFeature)));
    }

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default
    {
        var slot = FeatureSlots.Of<TFeature>.Index;
        if (slot >= 0)
        {
            SetSlot(slot, instance);
        }
        else
        {
            SetOther(typeof(TFeature), instance);
        }
    }

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator() => Enumerate();

    IEnumerator IEnumerable.GetEnumerator() => Enumerate();

    private object? GetSlot(int slot)
    {
        if (GetRequestSlot(slot) is { } own)
        {
            return own;
        }

        // One that others set may stand among the connection's, if there is middleware to have set it, or TLS.
        var connection = _exchange.Scope.Connection;
        return slot >= FeatureSlots.OwnCount && (connection.HasFeatures || connection.Tls is not null) && (_replaced & (1UL << slot)) == 0
            ? GetConnectionFeature(FeatureSlots.Types[slot])
            : null;
    }

    private object? GetRequestSlot(int slot)
    {
        if ((_replaced & (1UL << slot)) != 0)
        {
            return _replacements![slot];
        }

        return (_ownSlots & (1UL << slot)) != 0 && (slot != FeatureSlots.ResponseTrailers || _exchange.TakesTrailers) ? this : null;
    }

    private void SetSlot(int slot, object? instance)
    {
        _revision++;
        _replaced |= 1UL << slot;
        (_replacements ??= new object?[FeatureSlots.Count])[slot] = instance;
    }

    private object? GetOther(Type key)
    {
        if (_others is not null)
        {
            foreach (var (type, instance) in _others)
            {
                if (type == key)
                {
                    return instance;
                }
            }
        }

        return GetConnectionFeature(key);
    }

    private void SetOther(Type key, object? instance)
    {
        _revision++;
        _others?.RemoveAll(other => other.Key == key);
        if (instance is not null)
        {
            (_others ??= []).Add(new(key, instance));
        }
    }

    private IEnumerator<KeyValuePair<Type, object>> Enumerate()
    {
        for (var slot = 0; slot < FeatureSlots.Count; slot++)
        {
            if (GetRequestSlot(slot) is { } instance)
            {
                yield return new(FeatureSlots.Types[slot], instance);
            }
        }

        foreach (var other in _others ?? [])
        {
            yield return other;
        }
    }

    private void ResetFeatures()
    {
        _revision++;
        if (_replaced != 0)
        {
            Array.Clear(_replacements!);
            _replaced = 0;
        }

        _others?.Clear();
    }
}
