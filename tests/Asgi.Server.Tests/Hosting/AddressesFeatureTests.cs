// IServerAddressesFeature: a list to write before the start, what is bound after it.

using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Asgi.Server.Tests.Hosting;

public sealed class AddressesFeatureTests
{
    [Fact]
    public void The_server_has_this_feature_and_no_other()
    {
        using var server = NativeHost.Create();

        Assert.Equal([typeof(IServerAddressesFeature)], server.Features.Select(feature => feature.Key));
    }

    [Fact]
    public void Before_the_start_it_is_an_ordinary_list()
    {
        using var server = NativeHost.Create();
        var addresses = server.GetAddresses().Addresses;

        addresses.Add("http://one");
        addresses.Add("http://two");
        Assert.True(addresses.Remove("http://one"));

        Assert.False(addresses.IsReadOnly);
        Assert.Equal(["http://two"], addresses);
        addresses.Clear();
        Assert.Empty(addresses);
    }

    [Fact]
    public async Task After_the_start_nobody_changes_it()
    {
        using var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var addresses = server.GetAddresses().Addresses;
        var bound = addresses.Single();

        Assert.True(addresses.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => addresses.Add("http://one"));
        Assert.Throws<InvalidOperationException>(() => addresses.Remove(bound));
        Assert.Throws<InvalidOperationException>(addresses.Clear);
        Assert.Equal([bound], addresses);
        Assert.Contains(bound, addresses);
        var copy = new string[2];
        addresses.CopyTo(copy, 1);
        Assert.Equal(bound, copy[1]);
    }

    // An app keeps app.Urls in a variable and reads the real port from it later.
    [Fact]
    public async Task Who_took_the_list_before_the_start_sees_what_is_bound()
    {
        using var server = NativeHost.Create();
        var addresses = server.GetAddresses().Addresses;
        addresses.Add(Addresses.Loopback);

        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(server.GetAddresses().Addresses, addresses);
        Assert.NotEqual(0, Addresses.EndPointOf(Assert.Single(addresses)).Port);
        Assert.True(addresses.IsReadOnly);
    }

    [Fact]
    public async Task After_the_stop_it_still_says_where_the_server_was()
    {
        using var server = NativeHost.Create(addresses: Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var bound = server.GetAddresses().Addresses.ToArray();

        await server.StopAsync(CancellationToken.None);

        Assert.Equal(bound, server.GetAddresses().Addresses);
    }
}
