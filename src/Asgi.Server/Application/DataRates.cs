// ASP.NET's MinDataRate and the waist's DataRate, the one into the other. Any thread.
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server.Application;

internal static class DataRates
{
    public static DataRate? From(MinDataRate? rate) =>
        rate is null ? null : new DataRate(rate.BytesPerSecond, (long)rate.GracePeriod.TotalMilliseconds);

    public static MinDataRate? ToMinDataRate(DataRate? rate) =>
        rate is null ? null : new MinDataRate(rate.BytesPerSecond, TimeSpan.FromMilliseconds(rate.GraceMilliseconds));
}
