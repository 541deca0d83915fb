// [Wire("GET / HTTP/1.1\r\n...", expected...)]: a theory's literal, and what is expected of it, in one line.

using System.Reflection;
using Xunit.Sdk;

namespace Asgi.Server.Testing;

/// <summary>
/// Gives a theory a <see cref="Wire"/> and the further values as they are. The theory drives the wire through a run (for HTTP/1
/// <c>WireRun.Of</c>), which takes every cut and demands the same outcome of each.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class WireAttribute(string literal, params object?[] expected) : DataAttribute
{
    public string Literal { get; } = literal;

    public override IEnumerable<object?[]> GetData(MethodInfo testMethod) => [[new Wire(Literal), .. expected]];
}
