// What a benchmark returns if it has done what its name says. The tests run each benchmark and compare; one that does not say what it
// yields fails there.

namespace Asgi.Server.Micro;

[AttributeUsage(AttributeTargets.Method)]
public sealed class YieldsAttribute : Attribute
{
    public YieldsAttribute(long value) => Value = value;

    /// <param name="member">The property of the benchmark's class that has the value, where it depends on parameters.</param>
    public YieldsAttribute(string member) => Member = member;

    public long? Value { get; }

    public string? Member { get; }

    /// <summary>What an instance, its parameters set and its set-up done, has to return.</summary>
    public long For(object instance) =>
        Value ?? Convert.ToInt64(instance.GetType().GetProperty(Member!)!.GetValue(instance), provider: null);
}
