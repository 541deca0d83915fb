// The calls of a tick, in order.

namespace Asgi.Server.Loops.Tests;

public sealed class ReadyListTests
{
    private readonly ReadyList _list = new();
    private readonly ReadyCall[] _items = [.. Enumerable.Range(0, 3).Select(_ => new ReadyCall(() => { }))];

    [Fact]
    public void An_empty_list_gives_nothing()
    {
        Assert.True(_list.IsEmpty);
        Assert.Null(_list.Last);
        Assert.Null(_list.Take());
    }

    [Fact]
    public void Items_are_taken_in_the_order_they_were_added()
    {
        Array.ForEach(_items, _list.Add);

        Assert.Same(_items[2], _list.Last);
        Assert.Equal(_items, [_list.Take()!, _list.Take()!, _list.Take()!]);
        Assert.True(_list.IsEmpty);
        Assert.Null(_list.Last);
    }

    [Fact]
    public void An_item_that_is_listed_stays_where_it_is()
    {
        _list.Add(_items[0]);
        _list.Add(_items[1]);
        _list.Add(_items[0]);

        Assert.Equal([_items[0], _items[1]], [_list.Take()!, _list.Take()!]);
        Assert.Null(_list.Take());
    }

    [Fact]
    public void A_taken_item_may_be_listed_again_behind_the_others()
    {
        _list.Add(_items[0]);
        _list.Add(_items[1]);
        _list.Add(_list.Take()!);

        Assert.Equal([_items[1], _items[0]], [_list.Take()!, _list.Take()!]);
    }
}
