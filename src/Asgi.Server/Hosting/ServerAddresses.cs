// IServerAddressesFeature: what Hosting and the app write before the start, and what is really bound afterwards, which nobody changes.
using System.Collections.ObjectModel;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Asgi.Server.Hosting;

internal sealed class ServerAddresses : IServerAddressesFeature
{
    private readonly AddressList _addresses = new();

    /// <summary>One list for good: Hosting takes it before the start, and logs from it what is bound after.</summary>
    public ICollection<string> Addresses => _addresses;

    public bool PreferHostingUrls { get; set; }

    /// <summary>Shows what is bound; from now on a change throws.</summary>
    public void Publish(IEnumerable<string> bound) => _addresses.Freeze(bound);

    private sealed class AddressList : Collection<string>, ICollection<string>
    {
        private bool _isFrozen;

        bool ICollection<string>.IsReadOnly => _isFrozen;

        public void Freeze(IEnumerable<string> addresses)
        {
            Clear();
            foreach (var address in addresses)
            {
                Add(address);
            }

            _isFrozen = true;
        }

        protected override void ClearItems()
        {
            DemandWritable();
            base.ClearItems();
        }

        protected override void InsertItem(int index, string item)
        {
            DemandWritable();
            base.InsertItem(index, item);
        }

        protected override void RemoveItem(int index)
        {
            DemandWritable();
            base.RemoveItem(index);
        }

        protected override void SetItem(int index, string item)
        {
            DemandWritable();
            base.SetItem(index, item);
        }

        private void DemandWritable()
        {
            if (_isFrozen)
            {
                throw new InvalidOperationException("The addresses cannot be changed after the server has started.");
            }
        }
    }
}
