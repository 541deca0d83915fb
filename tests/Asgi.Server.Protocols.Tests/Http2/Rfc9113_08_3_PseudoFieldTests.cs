// RFC 9113, sections 8.3, 8.3.1 and 8.5, and RFC 8441, section 4: pseudo-fields, one by one and together.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_08_3_PseudoFieldTests
{
    private const string Method = ":method: GET";
    private const string Scheme = ":scheme: http";
    private const string Path = ":path: /";
    private const string Authority = ":authority: a";

    private static string Only(Http2Limits? limits, params string[] fields) =>
        Assert.Single(Http2Run.Of(limits, Headers(1, true, fields)));

    private static string Only(params string[] fields) => Only(null, fields);

    private static void AssertRefused(string fault, params string[] fields) =>
        Assert.Equal($"StreamFault 1 ProtocolError {fault}", Only(fields));

    [Fact]
    public void They_stand_in_any_order_before_the_fields()
    {
        string[] four = [Method, Scheme, Path, Authority];
        foreach (string[] order in Permutations(four))
            Assert.Equal("Request 1 GET /| http [host: a|x: y] end", Only([.. order, "x: y"]));
        foreach (string late in four)
            AssertRefused("MisplacedPseudoField", [.. four.Where(field => field != late), "x: y", late]);
    }

    [Fact]
    public void None_is_repeated()
    {
        foreach (string repeated in (string[])[Method, Scheme, Path, Authority, ":protocol: x"])
            AssertRefused("RepeatedPseudoField", ":method: CONNECT", Scheme, Path, Authority, ":protocol: x", repeated);
    }

    [Theory]
    [InlineData(":status: 200")]
    [InlineData(":Method: GET")]
    [InlineData(":x: y")]
    [InlineData(":: y")]
    [InlineData(":method : GET")]
    public void Others_are_unknown(string field) => AssertRefused("UnknownPseudoField", Method, Scheme, Path, Authority, field);

    [Theory]
    [InlineData(Scheme, Path, Authority)]
    [InlineData(Method, Path, Authority)]
    [InlineData(Method, Scheme, Authority)]
    [InlineData("x: y")]
    public void Method_scheme_and_path_are_required(params string[] fields) => AssertRefused("MissingPseudoField", fields);

    [Fact]
    public void Not_even_an_empty_block_does_without() => Assert.Equal("StreamFault 1 ProtocolError MissingPseudoField", Only());

    [Theory]
    [InlineData("M-SEARCH", true)]
    [InlineData("get", true)]
    [InlineData("", false)]
    [InlineData("G T", false)]
    [InlineData("GET ", false)]
    [InlineData("G\r\n", false)]
    [InlineData("G\u00C3", false)]
    public void A_method_is_a_token(string method, bool isRight)
    {
        string told = Only($":method: {method}", Scheme, Path, Authority);
        Assert.Equal(isRight ? $"Request 1 {method} /| http [host: a] end" : "StreamFault 1 ProtocolError InvalidMethod", told);
    }

    [Theory]
    [InlineData("https", true)]
    [InlineData("HTTP", true)]
    [InlineData("a+b-c.9", true)]
    [InlineData("", false)]
    [InlineData("9a", false)]
    [InlineData("ht tp", false)]
    [InlineData("http:", false)]
    [InlineData("ht\u00E9", false)]
    public void A_scheme_is_one(string scheme, bool isRight)
    {
        string told = Only(Method, $":scheme: {scheme}", Path, Authority);
        Assert.Equal(isRight ? $"Request 1 GET /| {scheme} [host: a] end" : "StreamFault 1 ProtocolError InvalidScheme", told);
    }

    [Theory]
    [InlineData("/", "/|")]
    [InlineData("/a/b?c=d?e", "/a/b|?c=d?e")]
    [InlineData("/?", "/|?")]
    [InlineData("//a", "//a|")]
    [InlineData("/%2e%2e/%61?%00", "/%2e%2e/%61|?%00")]
    [InlineData("/?a%", "/|?a%")]
    [InlineData("/\"<>\\^`{|}", "/\"<>\\^`{|}|")]
    public void A_path_is_split_from_its_query(string path, string expected) =>
        Assert.Equal($"Request 1 GET {expected} http [host: a] end", Only(Method, Scheme, $":path: {path}", Authority));

    [Theory]
    [InlineData("", "InvalidPath")]
    [InlineData("a", "InvalidPath")]
    [InlineData("?a", "InvalidPath")]
    [InlineData("http://a/", "InvalidPath")]
    [InlineData("/a b", "InvalidPath")]
    [InlineData("/a#b", "InvalidPath")]
    [InlineData("/\u0000", "InvalidPath")]
    [InlineData("/\r\n", "InvalidPath")]
    [InlineData("/\u007F", "InvalidPath")]
    [InlineData("/\u00C3\u00A9", "InvalidPath")]
    [InlineData("/?\t", "InvalidPath")]
    [InlineData("/a%00", "NullInPath")]
    [InlineData("/%41%00?b", "NullInPath")]
    [InlineData("*", "AsteriskFormOnlyForOptions")]
    [InlineData("**", "InvalidPath")]
    [InlineData("*/", "InvalidPath")]
    public void A_path_is_as_strict_as_the_target_of_http1(string path, string fault) =>
        AssertRefused(fault, Method, Scheme, $":path: {path}", Authority);

    [Fact]
    public void The_asterisk_is_for_options() =>
        Assert.Equal("Request 1 OPTIONS Asterisk * http [host: a] end", Only(":method: OPTIONS", Scheme, ":path: *", Authority));

    [Theory]
    [InlineData("a")]
    [InlineData("A:80")]
    [InlineData("[::1]:443")]
    [InlineData("1.2.3.4")]
    [InlineData("")]
    public void An_authority_is_a_host(string authority) =>
        Assert.Equal($"Request 1 GET /| http [host: {authority}] end", Only(Method, Scheme, Path, $":authority: {authority}"));

    [Theory]
    [InlineData("u@a")]
    [InlineData("u:p@a:80")]
    [InlineData("@")]
    [InlineData("a:")]
    [InlineData("a:65536")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a%41")]
    [InlineData("[::1")]
    [InlineData(":80")]
    [InlineData("a\r\nb")]
    public void And_nothing_else(string authority) => AssertRefused("InvalidAuthority", Method, Scheme, Path, $":authority: {authority}");

    [Fact]
    public void Host_does_for_an_authority()
    {
        Assert.Equal("Request 1 GET /| http [x: y|host: b] end", Only(Method, Scheme, Path, "x: y", "host: b"));
        Assert.Equal("Request 1 GET /| http [] end", Only(Method, Scheme, Path));
        AssertRefused("InvalidAuthority", Method, Scheme, Path, "host: u@a");
    }

    [Theory]
    [InlineData("http", "a", "a", true)]
    [InlineData("http", "a", "A", true)]
    [InlineData("http", "a", "a:80", true)]
    [InlineData("http", "a:80", "a", true)]
    [InlineData("https", "a", "a:443", true)]
    [InlineData("http", "a", "a:443", false)]
    [InlineData("https", "a", "a:80", false)]
    [InlineData("ftp", "a", "a:80", false)]
    [InlineData("http", "a", "b", false)]
    [InlineData("http", "a", "", false)]
    [InlineData("http", "", "a", false)]
    public void Where_both_are_there_they_are_the_same(string scheme, string authority, string host, bool isRight)
    {
        string[] fields = [Method, $":scheme: {scheme}", Path, $":authority: {authority}", "x: y", $"host: {host}", "z: w"];
        string one = $"Request 1 GET /| {scheme} [host: {authority}|x: y|z: w] end";
        Assert.Equal(isRight ? one : "StreamFault 1 ProtocolError HostMismatch", Only(fields));
        Assert.Equal(one, Only(new Http2Limits { AllowsHostOverride = true }, fields));
    }

    [Fact]
    public void A_host_that_is_none_is_not_overridden() => Assert.Equal(
        "StreamFault 1 ProtocolError InvalidAuthority",
        Only(new Http2Limits { AllowsHostOverride = true }, Method, Scheme, Path, Authority, "host: a b"));

    [Fact]
    public void There_is_one_host()
    {
        AssertRefused("HostMismatch", Method, Scheme, Path, "host: a", "host: a");
        AssertRefused("HostMismatch", Method, Scheme, Path, Authority, "host: a", "host: a");
    }

    [Fact]
    public void Connect_names_host_and_port_and_nothing_else()
    {
        const string Connect = ":method: CONNECT";
        Assert.Equal("Request 1 CONNECT Authority a:80  [host: a:80] end", Only(Connect, ":authority: a:80"));
        AssertRefused("InvalidConnect", Connect, ":authority: a");
        AssertRefused("InvalidConnect", Connect, ":authority: ");
        AssertRefused("InvalidConnect", Connect);
        AssertRefused("InvalidConnect", Connect, "host: a:80");
        AssertRefused("InvalidConnect", Connect, ":authority: a:80", Path);
        AssertRefused("InvalidConnect", Connect, ":authority: a:80", Scheme);
        AssertRefused("InvalidConnect", Connect, ":authority: a:80", Scheme, Path);
    }

    [Fact]
    public void Extended_connect_has_a_target_like_any_request()
    {
        string[] socket = [":method: CONNECT", ":protocol: websocket", Scheme, ":path: /chat?a", Authority, "sec-websocket-version: 13"];
        Assert.Equal(
            "Request 1 CONNECT /chat|?a http protocol=websocket [host: a|sec-websocket-version: 13] end", Only(socket));
        Assert.Equal(
            "StreamFault 1 ProtocolError InvalidExtendedConnect", Only(new Http2Limits { AllowsExtendedConnect = false }, socket));
        AssertRefused("InvalidExtendedConnect", [":method: GET", .. socket[1..]]);
        AssertRefused("InvalidExtendedConnect", [socket[0], ":protocol: ", .. socket[2..]]);
        AssertRefused("InvalidExtendedConnect", [socket[0], ":protocol: a b", .. socket[2..]]);
        AssertRefused("MissingPseudoField", ":method: CONNECT", ":protocol: websocket", Scheme, Authority);
        AssertRefused("MissingPseudoField", ":method: CONNECT", ":protocol: websocket", Path, Authority);
        AssertRefused("InvalidPath", ":method: CONNECT", ":protocol: websocket", Scheme, ":path: chat", Authority);
    }

    private static IEnumerable<string[]> Permutations(string[] all) => all.Length < 2
        ? [all]
        : all.SelectMany((first, i) => Permutations([.. all[..i], .. all[(i + 1)..]]).Select(rest => (string[])[first, .. rest]));
}
