// RFC 9110, section 9: method names; section 15: status codes and their phrases.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Tests.Http;

public class Rfc9110_09_MethodTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("CONNECT")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("PATCH")]
    [InlineData("QUERY")]
    public void A_known_method_is_always_the_same_instance(string method) =>
        Assert.Same(string.Intern(method), KnownMethods.GetString(Encoding.ASCII.GetBytes(method)));

    [Theory]
    [InlineData("get")]
    [InlineData("GETS")]
    [InlineData("G")]
    [InlineData("PROPFIND")]
    [InlineData("HEAR")]
    [InlineData("PUTT")]
    public void Methods_are_case_sensitive_and_open(string method) =>
        Assert.Equal(method, KnownMethods.GetString(Encoding.ASCII.GetBytes(method)));

    [Theory]
    [InlineData(100, "HTTP/1.1 100 Continue\r\n")]
    [InlineData(200, "HTTP/1.1 200 OK\r\n")]
    [InlineData(404, "HTTP/1.1 404 Not Found\r\n")]
    [InlineData(413, "HTTP/1.1 413 Payload Too Large\r\n")]
    [InlineData(431, "HTTP/1.1 431 Request Header Fields Too Large\r\n")]
    [InlineData(511, "HTTP/1.1 511 Network Authentication Required\r\n")]
    [InlineData(99, "")]
    [InlineData(299, "")]
    [InlineData(600, "")]
    [InlineData(-1, "")]
    public void Registered_codes_have_a_status_line(int status, string line) =>
        Assert.Equal(line, Encoding.ASCII.GetString(ReasonPhrases.GetStatusLine(status)));
}
