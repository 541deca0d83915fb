// RFC 9112, section 3: request line, method, the four forms of a target, Host.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class Rfc9112_03_RequestLineTests
{
    [Theory]
    [Wire("GET / HTTP/1.0\r\n\r\n", "GET")]
    [Wire("get / HTTP/1.0\r\n\r\n", "get")]
    [Wire("M-SEARCH / HTTP/1.0\r\n\r\n", "M-SEARCH")]
    [Wire("!#$%&'*+-.^_`|~09azAZ / HTTP/1.0\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ")]
    public void A_method_is_any_token(Wire wire, string method) => Assert.Equal(method, Expect.Complete(wire).Method);

    [Theory]
    [Wire(" / HTTP/1.1\r\n\r\n")]
    [Wire("GE(T / HTTP/1.1\r\n\r\n")]
    [Wire("G:T / HTTP/1.1\r\n\r\n")]
    [Wire("GET\t/ HTTP/1.1\r\n\r\n")]
    [Wire("G\u0000T / HTTP/1.1\r\n\r\n")]
    [Wire("G\u00C9T / HTTP/1.1\r\n\r\n")]
    [Wire("GET\r\n\r\n")]
    [Wire("\u0016\u0003\u0001\u0002\u0000\u0001")]
    public void What_is_no_token_is_no_method(Wire wire) => Expect.Fault(wire, 400, "InvalidMethod");

    [Theory]
    [Wire("GET  / HTTP/1.1\r\n\r\n")]
    [Wire("GET /\r\n\r\n")]
    [Wire("GET /\tHTTP/1.1\r\n\r\n")]
    [Wire("GET /a#b HTTP/1.1\r\n\r\n")]
    [Wire("GET /\u0001 HTTP/1.1\r\n\r\n")]
    [Wire("GET /\u007F HTTP/1.1\r\n\r\n")]
    [Wire("GET /\u00E9 HTTP/1.1\r\n\r\n")]
    [Wire("GET /\u0000 HTTP/1.1\r\n\r\n")]
    [Wire("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("GET http:/// HTTP/1.1\r\nHost: \r\n\r\n")]
    [Wire("GET http://?q HTTP/1.1\r\nHost: \r\n\r\n")]
    [Wire("GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void An_invalid_target_is_refused(Wire wire) => Expect.Fault(wire, 400, "InvalidTarget");

    [Theory]
    [Wire("GET / HTTP/1.0\r\n\r\n", "/", "")]
    [Wire("GET /a/b HTTP/1.0\r\n\r\n", "/a/b", "")]
    [Wire("GET /a?b=c HTTP/1.0\r\n\r\n", "/a", "?b=c")]
    [Wire("GET /a? HTTP/1.0\r\n\r\n", "/a", "?")]
    [Wire("GET /a?b?c HTTP/1.0\r\n\r\n", "/a", "?b?c")]
    [Wire("GET /a%20b?c%20d HTTP/1.0\r\n\r\n", "/a%20b", "?c%20d")]
    [Wire("GET /a?b%00 HTTP/1.0\r\n\r\n", "/a", "?b%00")]
    [Wire("GET //a/../b HTTP/1.0\r\n\r\n", "//a/../b", "")]
    public void Origin_form_is_path_and_query(Wire wire, string path, string query)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((TargetForm.Origin, path, query), (message.Form, message.Path, message.Query));
    }

    [Theory]
    [Wire("GET /a%00b HTTP/1.0\r\n\r\n")]
    [Wire("GET /%00?q HTTP/1.0\r\n\r\n")]
    [Wire("GET http://a/%00 HTTP/1.0\r\n\r\n")]
    public void An_encoded_NUL_in_the_path_is_refused(Wire wire) => Expect.Fault(wire, 400, "NullInPath");

    [Theory]
    [Wire("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "a", "/b", "?c")]
    [Wire("GET HTTP://a/b HTTP/1.1\r\nHost: A\r\n\r\n", "a", "/b", "")]
    [Wire("GET https://a:8443/ HTTP/1.1\r\nHost: a:8443\r\n\r\n", "a:8443", "/", "")]
    [Wire("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "a", "", "")]
    [Wire("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "a", "", "?q")]
    [Wire("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "a:80", "/", "")]
    [Wire("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", "a", "/", "")]
    [Wire("GET http://[::1]:5000/ HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", "[::1]:5000", "/", "")]
    [Wire("GET http://a/b HTTP/1.0\r\n\r\n", "a", "/b", "")]
    [Wire("GET http://a/@ HTTP/1.0\r\n\r\n", "a", "/@", "")]
    [Wire("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "a", "", "")]
    public void Absolute_form_has_an_authority_that_Host_repeats(Wire wire, string authority, string path, string query)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((TargetForm.Absolute, authority, path, query), (message.Form, message.Authority, message.Path, message.Query));
    }

    [Theory]
    [Wire("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void User_information_is_refused(Wire wire) => Expect.Fault(wire, 400, "UserInformation");

    [Theory]
    [Wire("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "a:443")]
    [Wire("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "a:443")]
    [Wire("CONNECT a:80 HTTP/1.1\r\nHost: A\r\n\r\n", "a:80")]
    [Wire("CONNECT [::1]:80 HTTP/1.0\r\n\r\n", "[::1]:80")]
    public void Authority_form_is_for_CONNECT(Wire wire, string authority)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((TargetForm.Authority, authority, "", ""), (message.Form, message.Authority, message.Path, message.Query));
    }

    [Theory]
    [Wire("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT :80 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT * HTTP/1.1\r\nHost: a\r\n\r\n")]
    [Wire("CONNECT http://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n")]
    [Wire("CONNECT u@a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")]
    public void CONNECT_needs_host_and_port(Wire wire) => Expect.Fault(wire, 400, "InvalidConnectTarget");

    [Theory]
    [Wire("GET foo HTTP/1.1\r\nHost: a\r\n\r\n", "AuthorityFormOnlyForConnect", "CONNECT")]
    [Wire("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "AuthorityFormOnlyForConnect", "CONNECT")]
    [Wire("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "AsteriskFormOnlyForOptions", "OPTIONS")]
    [Wire("options * HTTP/1.1\r\nHost: a\r\n\r\n", "AsteriskFormOnlyForOptions", "OPTIONS")]
    public void A_form_that_does_not_fit_the_method_is_not_allowed(Wire wire, string fault, string allow)
    {
        Expect.Fault(wire, 405, fault);
        Assert.Equal(allow, WireRun.Of(wire).Fault!.Allow);
    }

    [Theory]
    [Wire("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void Asterisk_form_is_for_OPTIONS(Wire wire)
    {
        WireMessage message = Expect.Complete(wire);
        Assert.Equal((TargetForm.Asterisk, "", ""), (message.Form, message.Path, message.Query));
    }

    [Theory]
    [Wire("GET / HTTP/1.1\r\n\r\n", "MissingHost")]
    [Wire("GET http://a/ HTTP/1.1\r\n\r\n", "MissingHost")]
    [Wire("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "MultipleHosts")]
    [Wire("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "MultipleHosts")]
    [Wire("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "InvalidHost")]
    [Wire("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "InvalidHost")]
    [Wire("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "InvalidHost")]
    [Wire("GET / HTTP/1.0\r\nHost: a:b\r\n\r\n", "InvalidHost")]
    [Wire("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "HostMismatch")]
    [Wire("GET http://a/ HTTP/1.1\r\nHost: \r\n\r\n", "HostMismatch")]
    [Wire("GET http://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", "HostMismatch")]
    [Wire("GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", "HostMismatch")]
    [Wire("GET http://a:81/ HTTP/1.1\r\nHost: a:82\r\n\r\n", "HostMismatch")]
    [Wire("CONNECT a:8080 HTTP/1.1\r\nHost: a\r\n\r\n", "HostMismatch")]
    [Wire("CONNECT a:80 HTTP/1.1\r\nHost: b:80\r\n\r\n", "HostMismatch")]
    public void Host_is_one_valid_line_that_agrees_with_the_target(Wire wire, string fault) => Expect.Fault(wire, 400, fault);

    [Theory]
    [Wire("GET / HTTP/1.1\r\nHost:\r\n\r\n")]
    [Wire("GET / HTTP/1.1\r\nHOST: a:80\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\n\r\n")]
    [Wire("GET / HTTP/1.0\r\nHost: a\r\n\r\n")]
    public void An_empty_Host_and_a_1_0_request_without_one_are_valid(Wire wire) => Expect.Complete(wire);

    [Theory]
    [InlineData("")]
    [InlineData("\r\n\r\n")]
    public void The_request_line_is_limited_with_the_empty_lines_before_it(string emptyLines)
    {
        string literal = emptyLines + "GET /abcdef HTTP/1.0\r\n\r\n";
        int size = literal.Length - 2;
        Assert.True(WireRun.Of(literal, new Http1Limits { MaxRequestLineSize = size }).Message.IsComplete);

        WireRun tooLong = WireRun.Of(literal, new Http1Limits { MaxRequestLineSize = size - 1 });
        Assert.Equal((414, "RequestLineTooLong"), (tooLong.Fault!.Status, tooLong.Fault.Name));
    }

    [Theory]
    [Wire("GET /aaaaaaaaaaaaaaaaaaaaaaa")]
    [Wire("AAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [Wire("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n")]
    [Wire("GET / HTTP/1.1111111111111")]
    public void The_limit_does_not_wait_for_the_end_of_the_line(Wire wire)
    {
        Assert.Null(WireRun.Of(wire, new Http1Limits { MaxRequestLineSize = wire.Bytes.Length + 1 }).Fault);
        Assert.Equal(414, WireRun.Of(wire, new Http1Limits { MaxRequestLineSize = wire.Bytes.Length }).Fault!.Status);
    }

    [Fact]
    public void The_default_limit_is_8192_bytes()
    {
        string Literal(int size) => $"GET /{new string('a', size - "GET / HTTP/1.1\r\n".Length)} HTTP/1.1\r\nHost: a\r\n\r\n";
        byte[] fits = new Wire(Literal(8192)).Bytes;
        byte[] tooLong = new Wire(Literal(8193)).Bytes;
        Assert.Null(WireRun.Feed(fits, [fits.Length]).Fault);
        Assert.Equal(414, WireRun.Feed(tooLong, [tooLong.Length]).Fault!.Status);
    }
}
