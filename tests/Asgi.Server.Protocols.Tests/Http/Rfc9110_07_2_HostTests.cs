// RFC 9110, section 7.2: Host, with the syntax of RFC 3986, section 3.2.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Tests.Http;

public class Rfc9110_07_2_HostTests
{
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a.b-c_d~e")]
    [InlineData("!$&'()")]
    [InlineData("127.0.0.1:5000")]
    [InlineData("a:0")]
    [InlineData("a:65535")]
    [InlineData("a:00080")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("[2001:DB8::ffff:1.2.3.4]")]
    [InlineData("[::0.10.200.0]")]
    public void Host_is_a_name_or_address_with_an_optional_port(string host) =>
        Assert.True(HostHeader.IsValid(Encoding.Latin1.GetBytes(host)));

    [Theory]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData("a,b")]
    [InlineData("a/")]
    [InlineData("a?")]
    [InlineData("a#")]
    [InlineData("a@b")]
    [InlineData("a%41")]
    [InlineData("a\\b")]
    [InlineData("a<b")]
    [InlineData("\u00E9")]
    [InlineData(":")]
    [InlineData(":80")]
    [InlineData("a:")]
    [InlineData("a:b")]
    [InlineData("a:80b")]
    [InlineData("a:+80")]
    [InlineData("a:-1")]
    [InlineData("a:80:80")]
    [InlineData("a:65536")]
    [InlineData("a:4294967376")]
    [InlineData("::1")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[::1")]
    [InlineData("::1]")]
    [InlineData("[::1]80")]
    [InlineData("[::1]:")]
    [InlineData("[::1]a")]
    [InlineData("[127.0.0.1]")]
    [InlineData("[::g]")]
    [InlineData("[1:2:3]")]
    [InlineData("[::1.2.3.06]")]
    [InlineData("[::00.2.3.4]")]
    [InlineData("[::1.2.3]")]
    [InlineData("[::1.2.3.256]")]
    [InlineData("[:::]")]
    [InlineData("[::1%25eth0]")]
    [InlineData("[[::1]]")]
    [InlineData("[v1.a]")]
    public void Anything_else_is_invalid(string host) => Assert.False(HostHeader.IsValid(Encoding.Latin1.GetBytes(host)));

    [Theory]
    [InlineData("a", "a", 80, true)]
    [InlineData("A.B", "a.b", 80, true)]
    [InlineData("a:80", "a", 80, true)]
    [InlineData("a", "a:80", 80, true)]
    [InlineData("a:080", "a:80", 80, true)]
    [InlineData("[::A]", "[::a]:443", 443, true)]
    [InlineData("a", "a:443", 80, false)]
    [InlineData("a:8080", "a", 80, false)]
    [InlineData("a:80", "a:81", 80, false)]
    [InlineData("a", "b", 80, false)]
    [InlineData("", "a", 80, false)]
    [InlineData("a", "a:443", 0, true)]
    [InlineData("a", "a:80", 0, true)]
    [InlineData("a", "a:8080", 0, false)]
    [InlineData("a:80", "a:443", 0, false)]
    public void Host_matches_the_authority_up_to_case_and_default_port(string host, string authority, int defaultPort, bool matches) =>
        Assert.Equal(matches, HostHeader.Matches(Encoding.ASCII.GetBytes(host), Encoding.ASCII.GetBytes(authority), defaultPort));
}
