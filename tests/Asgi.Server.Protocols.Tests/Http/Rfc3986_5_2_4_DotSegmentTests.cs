// RFC 3986, section 5.2.4: dot segments; section 2.1 and RFC 3629: what of a path is decoded before.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Tests.Http;

public class Rfc3986_5_2_4_DotSegmentTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("", "/")]
    [InlineData("/a/b/c", "/a/b/c")]
    [InlineData("/a/b/c/./../../g", "/a/g")]
    [InlineData("/.", "/")]
    [InlineData("/..", "/")]
    [InlineData("/./", "/")]
    [InlineData("/../", "/")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/a/..", "/")]
    [InlineData("/a/b/..", "/a/")]
    [InlineData("/a/b/../", "/a/")]
    [InlineData("/../../../a", "/a")]
    [InlineData("/a/../../b", "/b")]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("//../a", "/a")]
    [InlineData("/a//../b", "/a/b")]
    [InlineData("/a/..//b", "//b")]
    [InlineData("/...", "/...")]
    [InlineData("/.a/..b/c./d..", "/.a/..b/c./d..")]
    [InlineData("/.well-known/x", "/.well-known/x")]
    [InlineData("/a/..;/b", "/a/..;/b")]
    public void Dot_segments_are_removed_and_never_climb_above_the_root(string raw, string path) => Expect(raw, path);

    [Theory]
    [InlineData("/%2e%2e/a", "/a")]
    [InlineData("/a/%2E./b", "/b")]
    [InlineData("/a/.%2e", "/")]
    [InlineData("/a/%2e", "/a/")]
    public void Encoded_dots_are_dots(string raw, string path) => Expect(raw, path);

    [Theory]
    [InlineData("/a%2Fb", "/a%2Fb")]
    [InlineData("/a%2fb", "/a%2fb")]
    [InlineData("/a/..%2Fb", "/a/..%2Fb")]
    [InlineData("/a/%2e%2e%2fb", "/a/..%2fb")]
    [InlineData("/a%5Cb", "/a\\b")]
    [InlineData("/a\\..\\b", "/a\\..\\b")]
    [InlineData("//a", "//a")]
    [InlineData("/a+b", "/a+b")]
    public void An_encoded_slash_is_data(string raw, string path) => Expect(raw, path);

    [Theory]
    [InlineData("/%41", "/A")]
    [InlineData("/%25", "/%")]
    [InlineData("/%2541", "/%41")]
    [InlineData("/%25%34%31", "/%41")]
    [InlineData("/a%20b", "/a b")]
    [InlineData("/%0d%0a", "/\r\n")]
    [InlineData("/%3F%23", "/?#")]
    [InlineData("/%C3%A9", "/\u00E9")]
    [InlineData("/%e2%82%ac", "/\u20AC")]
    [InlineData("/%F0%9F%98%80!", "/\U0001F600!")]
    [InlineData("/%EF%BF%BD", "/\uFFFD")]
    public void Characters_are_decoded_once(string raw, string path) => Expect(raw, path);

    [Theory]
    [InlineData("/%")]
    [InlineData("/%4")]
    [InlineData("/%zz")]
    [InlineData("/%4g")]
    [InlineData("/%FF")]
    [InlineData("/%80")]
    [InlineData("/%C3")]
    [InlineData("/%C3%")]
    [InlineData("/%C3x")]
    [InlineData("/%E2%82")]
    [InlineData("/%E2%82x")]
    [InlineData("/%C0%AF")]
    [InlineData("/%C0%80")]
    [InlineData("/%E0%80%AF")]
    [InlineData("/%ED%A0%80")]
    [InlineData("/%F4%90%80%80")]
    public void What_is_not_UTF8_stays_as_it_is(string raw) => Expect(raw, raw);

    [Theory]
    [InlineData("/%C3%28", "/%C3(")]
    [InlineData("/%E2%82%41", "/%E2%82A")]
    [InlineData("/%FF%C3%A9", "/%FF\u00E9")]
    [InlineData("/%%41", "/%A")]
    public void Decoding_goes_on_after_what_stays(string raw, string path) => Expect(raw, path);

    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(8000)]
    public void Length_does_not_matter(int length)
    {
        string tail = new('a', length - "/%41".Length);
        Expect("/%41" + tail, "/A" + tail);
    }

    private static void Expect(string raw, string path) => Assert.Equal(path, RequestTarget.DecodePath(Encoding.ASCII.GetBytes(raw)));
}
