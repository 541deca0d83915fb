// IServerAddressesFeature: what Hosting and the app write before the start, and what is really bound afterwards, which nobody changes.
using System.Collections.ObjectModel;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Asgi.Server.Hosting;

internal sealed class ServerAddresses : IServerAddressesFeature
{
    public ICollection<string> Addresses { get; private set; } = new List<string>();

    public bool PreferHostingUrls { get; set; }

    /// <summary>Shows what is bound; from now on a change throws.</summary>
    public void Publish(IEnumerable<string> bound) => Addresses = new Frozen([.. bound]);

    private sealed class Frozen(IList<string> addresses) : ICollection<string>
    {
        private readonly ReadOnlyCollection<string> _addresses = new(addresses);

        public int Count => _addresses.Count;

        public bool IsReadOnly => true;

        public void Add(string item) => throw Refused();

        public void Clear() => throw Refused();

        public bool Remove(string item) => throw Refused();

        public bool Contains(string item) => _addresses.Contains(item);

        public void CopyTo(string[] array, int arrayIndex) => _addresses.CopyTo(array, arrayIndex);

        public IEnumerator<string> GetEnumerator() => _addresses.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

        private static InvalidOperationException Refused() => new("The addresses cannot be changed after the server has started.");
    }
}
