// IServerAddressesFeature: what Hosting and the app write before the start, and what is really bound afterwards, which nobody changes but
// the server.
using System.Collections;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Asgi.Server.Hosting;

internal sealed class ServerAddresses : IServerAddressesFeature
{
    private readonly AddressList _addresses = new();

    /// <summary>One list for good: Hosting takes it before the start, and logs from it what is bound after.</summary>
    public ICollection<string> Addresses => _addresses;

    public bool PreferHostingUrls { get; set; }

    /// <summary>Shows what is bound; from now on a change by others throws.</summary>
    public void Publish(IEnumerable<string> bound) => _addresses.Freeze(bound);

    // A reload publishes while the app may be reading: every change is a new array, and who enumerates has the old one.
    private sealed class AddressList : ICollection<string>
    {
        private volatile string[] _addresses = [];

        public int Count => _addresses.Length;

        public bool IsReadOnly { get; private set; }

        public void Freeze(IEnumerable<string> addresses)
        {
            _addresses = [.. addresses];
            IsReadOnly = true;
        }

        public void Add(string item)
        {
            DemandWritable();
            _addresses = [.. _addresses, item];
        }

        public void Clear()
        {
            DemandWritable();
            _addresses = [];
        }

        public bool Remove(string item)
        {
            DemandWritable();
            List<string> left = [.. _addresses];
            var isRemoved = left.Remove(item);
            _addresses = [.. left];
            return isRemoved;
        }

        public bool Contains(string item) => _addresses.Contains(item);

        public void CopyTo(string[] array, int arrayIndex) => _addresses.CopyTo(array, arrayIndex);

        public IEnumerator<string> GetEnumerator() => _addresses.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private void DemandWritable()
        {
            if (IsReadOnly)
            {
                throw new InvalidOperationException("The addresses cannot be changed after the server has started.");
            }
        }
    }
}
