// The PROXY protocol's specification, section 2.2: version 2. The checksums are computed here bit by bit, by the definition of CRC32C.

using System.Text;
using Asgi.Server.Protocols.ProxyProtocol;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.ProxyProtocol;

public class BinaryHeaderTests
{
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";
    private const string Tcp4 = "\xC0\x00\x02\x01\xC6\x33\x64\x02\xDC\x04\x01\xBB";
    private const string Tcp6 =
        "\u0020\u0001\u000D\u00B8\0\0\0\0\0\0\0\0\0\0\0\u0001"
        + "\u0020\u0001\u000D\u00B8\0\0\0\0\0\0\0\0\0\0\0\u0002" + "\0\u0001\0\u0002";

    [Theory]
    [InlineData('\x11', Tcp4, "192.0.2.1:56324", "198.51.100.2:443")]
    [InlineData('\x12', Tcp4, "192.0.2.1:56324", "198.51.100.2:443")]
    [InlineData('\x21', Tcp6, "[2001:db8::1]:1", "[2001:db8::2]:2")]
    [InlineData('\x22', Tcp6, "[2001:db8::1]:1", "[2001:db8::2]:2")]
    public void Addresses_lie_behind_the_fixed_bytes(char family, string addresses, string source, string destination)
    {
        var run = ProxyRun.Of(Header('\x21', family, addresses));

        Assert.Equal(source, run.Header?.Source?.ToString());
        Assert.Equal(destination, run.Header?.Destination?.ToString());
        Assert.Equal(2, run.Header?.Version);
        Assert.Empty(run.Header!.Tlvs);
    }

    [Theory]
    [InlineData("/run/a", "/run/b")]
    [InlineData("", "")]
    [InlineData("\0abstract", "/")]
    public void Unix_sockets_have_paths(string source, string destination)
    {
        var run = ProxyRun.Of(Header('\x21', '\x31', source.PadRight(108, '\0') + destination.PadRight(108, '\0')));

        Assert.Equal(source, run.Header?.SourcePath);
        Assert.Equal(destination, run.Header?.DestinationPath);
        Assert.Null(run.Header?.Source);
    }

    [Fact]
    public void A_path_may_fill_its_field()
    {
        string path = "/" + new string('p', 107);

        Assert.Equal(path, ProxyRun.Of(Header('\x21', '\x31', path + new string('\0', 108))).Header?.SourcePath);
    }

    [Theory]
    [InlineData('\x20', '\x11', Tcp4)] // LOCAL
    [InlineData('\x20', '\x00', "")]
    [InlineData('\x20', '\xFF', "anything")] // its family is ignored
    [InlineData('\x21', '\x00', "anything")] // UNSPEC
    [InlineData('\x21', '\x10', Tcp4)] // an address without a protocol
    [InlineData('\x21', '\x01', "anything")]
    public void Without_addresses_the_rest_is_ignored(char command, char family, string rest)
    {
        var run = ProxyRun.Of(Header(command, family, rest));

        Assert.Equal(ProxyEvent.Header, run.Event);
        Assert.Equal(command == '\x20', run.Header!.IsLocal);
        Assert.Null(run.Header.Source);
        Assert.Empty(run.Header.Tlvs);
        Assert.Equal(16 + rest.Length, run.Consumed);
    }

    [Theory]
    [InlineData('\x11', '\x11', Tcp4, nameof(ProxyFault.UnknownVersion))]
    [InlineData('\x31', '\x11', Tcp4, nameof(ProxyFault.UnknownVersion))]
    [InlineData('\x22', '\x11', Tcp4, nameof(ProxyFault.UnknownCommand))]
    [InlineData('\x2F', '\x11', Tcp4, nameof(ProxyFault.UnknownCommand))]
    [InlineData('\x21', '\x41', Tcp4, nameof(ProxyFault.UnknownFamily))]
    [InlineData('\x21', '\x13', Tcp4, nameof(ProxyFault.UnknownFamily))]
    [InlineData('\x21', '\x11', "\xC0\x00\x02\x01\xC6\x33\x64\x02\xDC\x04\x01", nameof(ProxyFault.AddressesCut))]
    [InlineData('\x21', '\x21', Tcp4, nameof(ProxyFault.AddressesCut))]
    [InlineData('\x21', '\x31', Tcp6, nameof(ProxyFault.AddressesCut))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0001", nameof(ProxyFault.InvalidTlv))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0001\0", nameof(ProxyFault.InvalidTlv))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0001\0\u0001", nameof(ProxyFault.InvalidTlv))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0001\0\u0003h2", nameof(ProxyFault.InvalidTlv))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0003\0\u0003abc", nameof(ProxyFault.InvalidTlv))]
    [InlineData('\x21', '\x11', Tcp4 + "\u0003\0\u0004abcd", nameof(ProxyFault.WrongChecksum))]
    public void Whatever_else_it_says_is_refused(char command, char family, string rest, string fault) =>
        Assert.Equal(fault, ProxyRun.Of(Header(command, family, rest)).Fault?.Name);

    [Fact]
    public void Tlvs_are_kept_in_order_without_padding()
    {
        var run = ProxyRun.Of(Header('\x21', '\x11', Tcp4 + "\u0001\0\u0002h2" + "\u0004\0\u0003xxx" + "\u0002\0\u0001a" + "\u00E0\0\0"));

        Assert.Equal("v2 192.0.2.1:56324 to 198.51.100.2:443 01=6832 02=61 E0= in 46", run.ToString());
    }

    [Theory]
    [InlineData(128, null)]
    [InlineData(129, nameof(ProxyFault.InvalidTlv))]
    public void A_unique_id_has_at_most_128_bytes(int length, string? fault) =>
        Assert.Equal(fault, ProxyRun.Of(Header('\x21', '\x11', $"{Tcp4}\u0005\0{(char)length}{new string('u', length)}")).Fault?.Name);

    [Fact]
    public void A_right_checksum_is_accepted_and_any_changed_bit_is_not()
    {
        string header = Header('\x21', '\x11', Tcp4 + "\u0002\0\u0001a" + "\u0003\0\u0004\0\0\0\0");
        header = header[..^4] + BigEndian(Crc32C(header));

        Assert.Equal(ProxyEvent.Header, ProxyRun.Of(header).Event);
        for (int i = 16; i < 16 + Tcp4.Length; i++)
            Assert.Equal(nameof(ProxyFault.WrongChecksum), Whole(header[..i] + (char)(header[i] ^ 1) + header[(i + 1)..]).Fault?.Name);
    }

    [Fact]
    public void There_is_one_checksum_only()
    {
        string twice = Header('\x21', '\x11', Tcp4 + "\u0003\0\u0004\0\0\0\0\u0003\0\u0004\0\0\0\0");
        string right = twice[..31] + BigEndian(Crc32C(twice)) + twice[35..];

        Assert.Equal(nameof(ProxyFault.InvalidTlv), ProxyRun.Of(right).Fault?.Name);
    }

    [Fact]
    public void Crc32C_here_is_the_one_of_the_check_value() => Assert.Equal(0xE3069283, Crc32C("123456789"));

    [Fact]
    public void The_length_is_limited_before_it_is_waited_for()
    {
        string tlv = "\u00E0\0" + (char)(100 - 16 - Tcp4.Length - 3);
        string header = Header('\x21', '\x11', Tcp4 + tlv + new string('t', 100 - 16 - Tcp4.Length - 3));

        Assert.Equal(100, header.Length);
        Assert.Equal(ProxyEvent.Header, ProxyRun.Of(header, lengthMax: 100).Event);
        Assert.Equal(nameof(ProxyFault.TooLong), ProxyRun.Of(header, lengthMax: 99).Fault?.Name);
        Assert.Equal(nameof(ProxyFault.TooLong), ProxyRun.Of(header[..16], lengthMax: 99).Fault?.Name);
    }

    [Fact]
    public void A_part_of_a_header_needs_the_rest()
    {
        string header = Header('\x21', '\x11', Tcp4);
        for (int length = 0; length < header.Length; length++)
            Assert.Equal(ProxyEvent.NeedData, Whole(header[..length]).Event);
    }

    [Fact]
    public void A_signature_that_breaks_off_is_no_header()
    {
        for (int i = 0; i < Signature.Length; i++)
            Assert.Equal(ProxyEvent.Absent, Whole(Signature[..i] + "x").Event);
    }

    private static ProxyRun Whole(string literal) => ProxyRun.Feed(new Wire(literal).Bytes, [literal.Length], 4096);

    private static string Header(char command, char family, string rest) =>
        $"{Signature}{command}{family}{(char)(rest.Length >> 8)}{(char)(rest.Length & 0xFF)}{rest}";

    private static string BigEndian(uint number) =>
        string.Concat([(char)(number >> 24), (char)((number >> 16) & 0xFF), (char)((number >> 8) & 0xFF), (char)(number & 0xFF)]);

    private static uint Crc32C(string text)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in Encoding.Latin1.GetBytes(text))
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}
