// What an ASP.NET application pays for the fields of a request. Repeated: the request before had the same values, and their strings serve
// again; otherwise each request has values of its own, as on a connection that a proxy shares among clients.

using Asgi.Server.Application;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class HeaderAccess
{
    private readonly byte[][] _requests = new byte[2][];
    private FieldSection _fields = null!;
    private RequestHeaders _concrete = null!;
    private IHeaderDictionary _headers = null!;
    private int _request;

    [Params(true, false)]
    public bool Repeated { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _requests[0] = Messages.Bytes(Messages.Browser);
        _requests[1] = Repeated ? [.. _requests[0]] : WithOtherValues(_requests[0]);

        var machine = new Http1Machine(Http1Limits.Default);
        machine.Read(_requests[0], out _);
        _fields = machine.Head.Fields;
        _headers = _concrete = new RequestHeaders(_fields);
    }

    [Benchmark, Yields(Messages.BrowserUserAgentLength)]
    public int KnownNameByProperty()
    {
        NextRequest();
        return _headers.UserAgent[0]!.Length;
    }

    [Benchmark, Yields(Messages.BrowserUserAgentLength)]
    public int KnownNameByIndexer()
    {
        NextRequest();
        return _headers[HeaderNames.UserAgent][0]!.Length;
    }

    [Benchmark, Yields(0)]
    public int MissingName()
    {
        NextRequest();
        return _headers["X-Not-There"].Count;
    }

    [Benchmark, Yields(Messages.BrowserFieldCount)]
    public int AllEnumerated()
    {
        NextRequest();
        int count = 0;
        foreach (var field in _headers)
            count += field.Value.Count;
        return count;
    }

    private void NextRequest()
    {
        _fields.Bind(_requests[_request ^= 1], 0);
        _concrete.Reset();
    }

    // The same offsets: each value differs in its last character.
    private static byte[] WithOtherValues(byte[] request)
    {
        byte[] other = [.. request];
        for (int i = 1; i + 2 < other.Length; i++)
            if (other[i] == '\r' && other[i - 1] != '\n')
                other[i - 1] = (byte)'x';
        return other;
    }
}
