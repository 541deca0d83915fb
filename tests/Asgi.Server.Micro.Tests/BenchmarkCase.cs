// One benchmark with one set of its parameters and arguments, run without BenchmarkDotNet's runner: set up, called, cleaned up.

using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro.Tests;

internal sealed class BenchmarkCase
{
    /// <summary>The second call meets what the first has left behind, as all but one do in a measurement.</summary>
    private const int CallCount = 3;

    // What these ask of a runner is not done here.
    private static readonly Type[] Unknown =
    [
        typeof(ParamsSourceAttribute), typeof(ParamsAllValuesAttribute), typeof(ArgumentsSourceAttribute),
        typeof(IterationSetupAttribute), typeof(IterationCleanupAttribute),
    ];

    private readonly Type _type;
    private readonly MethodInfo _method;
    private readonly IReadOnlyList<(PropertyInfo Property, object? Value)> _parameters;
    private readonly object?[] _arguments;

    private BenchmarkCase(Type type, MethodInfo method, IReadOnlyList<(PropertyInfo, object?)> parameters, object?[] arguments)
    {
        _type = type;
        _method = method;
        _parameters = parameters;
        _arguments = arguments;
        var values = parameters.Select(parameter => $"{parameter.Item1.Name}={Text(parameter.Item2)}").Concat(arguments.Select(Text));
        Name = $"{type.Name}.{method.Name}({string.Join(", ", values)})";
    }

    public string Name { get; }

    public static IEnumerable<BenchmarkCase> In(IEnumerable<Type> types) =>
        from type in types
        from method in type.GetMethods()
        where method.IsDefined(typeof(BenchmarkAttribute))
        from parameters in Combinations([.. type.GetProperties().Where(property => property.IsDefined(typeof(ParamsAttribute)))])
        from arguments in Arguments(method)
        select new BenchmarkCase(type, method, parameters, arguments);

    /// <summary>Demands that it returns what it says it yields, however often it is called.</summary>
    public void Run()
    {
        var unknown = _type.GetMembers().FirstOrDefault(member => Unknown.Any(attribute => member.IsDefined(attribute)));
        Assert.True(unknown is null, $"{_type.Name}.{unknown?.Name} has an attribute that this test does not know.");
        var yields = _method.GetCustomAttribute<YieldsAttribute>();
        Assert.True(yields is not null, $"{Name} does not say what it yields.");

        object benchmark = Activator.CreateInstance(_type)!;
        foreach (var (property, value) in _parameters)
            property.SetValue(benchmark, value);
        CallAll<GlobalSetupAttribute>(benchmark);
        long expected = yields.For(benchmark);
        for (int call = 0; call < CallCount; call++)
            Assert.Equal(expected, Convert.ToInt64(_method.Invoke(benchmark, _arguments), CultureInfo.InvariantCulture));
        CallAll<GlobalCleanupAttribute>(benchmark);
    }

    private void CallAll<TAttribute>(object benchmark)
        where TAttribute : TargetedAttribute
    {
        foreach (var method in _type.GetMethods())
            if (method.GetCustomAttribute<TAttribute>() is { } attribute && IsFor(attribute))
                method.Invoke(benchmark, null);
    }

    private bool IsFor(TargetedAttribute attribute) => attribute.Targets is not { Length: > 0 } targets || targets.Contains(_method.Name);

    private static IEnumerable<IReadOnlyList<(PropertyInfo, object?)>> Combinations(PropertyInfo[] properties)
    {
        IEnumerable<IReadOnlyList<(PropertyInfo, object?)>> combinations = [[]];
        foreach (var property in properties)
        {
            object?[] values = property.GetCustomAttribute<ParamsAttribute>()!.Values;
            combinations = [.. combinations.SelectMany(_ => values, (others, value) => others.Append((property, value)).ToArray())];
        }
        return combinations;
    }

    private static IEnumerable<object?[]> Arguments(MethodInfo method)
    {
        var arguments = method.GetCustomAttributes<ArgumentsAttribute>().Select(attribute => attribute.Values).ToArray();
        return arguments.Length == 0 ? [[]] : arguments;
    }

    private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
}
