// The PROXY protocol's specification, section 2.1: the line of version 1.

using Asgi.Server.Protocols.ProxyProtocol;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.ProxyProtocol;

public class TextHeaderTests
{
    private const string V6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    [Theory]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324", "198.51.100.2:443")]
    [Wire("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0", "255.255.255.255:65535")]
    [Wire("PROXY TCP6 2001:db8::1 2001:DB8::2 1 2\r\n", "[2001:db8::1]:1", "[2001:db8::2]:2")]
    [Wire("PROXY TCP6 ::ffff:192.0.2.1 :: 1 2\r\n", "[::ffff:192.0.2.1]:1", "[::]:2")]
    public void A_line_names_source_and_destination(Wire wire, string source, string destination)
    {
        var run = ProxyRun.Of(wire);

        Assert.Equal(ProxyEvent.Header, run.Event);
        Assert.Equal(source, run.Header!.Source!.ToString());
        Assert.Equal(destination, run.Header.Destination!.ToString());
        Assert.Equal(1, run.Header.Version);
        Assert.False(run.Header.IsLocal);
        Assert.Equal(wire.Bytes.Length, run.Consumed);
    }

    [Theory]
    [Wire("PROXY UNKNOWN\r\n")]
    [Wire("PROXY UNKNOWN ffff::1 something else  altogether\r\n")]
    public void UNKNOWN_has_no_addresses_whatever_it_says(Wire wire)
    {
        var run = ProxyRun.Of(wire);

        Assert.Equal(ProxyEvent.Header, run.Event);
        Assert.Null(run.Header!.Source);
        Assert.Null(run.Header.Destination);
    }

    [Theory]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", nameof(ProxyFault.BareLineEnd))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\r", nameof(ProxyFault.BareLineEnd))]
    [Wire("PROXY \r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP4\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP5 192.0.2.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY UNKNOWNX\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP4 192.0.2.1  198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n", nameof(ProxyFault.InvalidLine))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 192.0.02.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 192.0.2.1. 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 0x7f.0.0.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 3221225985 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 ::1 ::1 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP6 fe80::1%eth0 ::1 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP6 [::1] ::1 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP6 1::2::3 ::1 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP6 ::ffff:192.0.02.1 ::1 56324 443\r\n", nameof(ProxyFault.InvalidAddress))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", nameof(ProxyFault.InvalidPort))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 -1\r\n", nameof(ProxyFault.InvalidPort))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n", nameof(ProxyFault.InvalidPort))]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 99999999999 443\r\n", nameof(ProxyFault.InvalidPort))]
    public void Whatever_else_the_line_is_is_refused(Wire wire, string fault) => Assert.Equal(fault, ProxyRun.Of(wire).Fault?.Name);

    [Fact]
    public void The_longest_line_has_107_bytes()
    {
        string longest = $"PROXY UNKNOWN {V6} {V6} 65535 65535\r\n";

        Assert.Equal(TextHeaderParser.LineLengthMax, longest.Length);
        Assert.Equal(ProxyEvent.Header, ProxyRun.Of(longest).Event);
        Assert.Equal(nameof(ProxyFault.LineTooLong), ProxyRun.Of(longest.Replace("\r", " \r", StringComparison.Ordinal)).Fault?.Name);
    }

    [Theory]
    [Wire("")]
    [Wire("P")]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443")]
    [Wire("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r")]
    public void A_part_of_a_line_needs_the_rest(Wire wire) => Assert.Equal(ProxyEvent.NeedData, Run(wire));

    [Theory]
    [Wire("GET / HTTP/1.1\r\n")]
    [Wire("PRI * HTTP/2.0\r\n")]
    [Wire("PROXZ")]
    [Wire("PROXY\t")]
    [Wire("proxy TCP4")]
    [Wire("\r\n\r\nGET")]
    [Wire("\u0016\u0003\u0001")]
    public void What_begins_otherwise_is_no_header(Wire wire) => Assert.Equal(ProxyEvent.Absent, ProxyRun.Of(wire).Event);

    private static ProxyEvent Run(Wire wire) => ProxyRun.Feed(wire.Bytes, [wire.Bytes.Length], 4096).Event;
}
