// One key of the configuration: how its text is read and what is allowed, bound by hand, since reflection would not survive trimming. The
// tables are in Settings. On the host's threads.
using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

/// <param name="Key">Its name in its section.</param>
/// <param name="Allowed">What may stand there, to end the sentence "... must be".</param>
/// <param name="TrySet">
/// Sets the value; false if the text is none. Setters that refuse a value throw <see cref="ArgumentOutOfRangeException"/>.
/// </param>
internal sealed record Setting<T>(string Key, string Allowed, Func<T, IConfigurationSection, ConfigurationFindings, bool> TrySet);

internal static class Setting
{
    /// <summary>What <see cref="IConfigurationSection"/> has for a key, as an operator would recognise it.</summary>
    public static string Show(IConfigurationSection section) =>
        section.Value ?? (IsNull(section) ? "null" : "a section");

    /// <summary>Sets what a section says; tells of values that cannot be used and of keys nobody knows.</summary>
    /// <param name="settings">The keys that are read here.</param>
    /// <param name="section">The section.</param>
    /// <param name="target">Where values are set.</param>
    /// <param name="findings">What is told.</param>
    /// <param name="others">Keys that are read elsewhere.</param>
    public static void Apply<T>(
        this Setting<T>[] settings, IConfiguration section, T target, ConfigurationFindings findings, params string[] others)
    {
        settings.ApplyKnown(section, target, findings);
        foreach (var child in section.GetChildren())
        {
            if (!settings.Any(setting => IsKey(child, setting.Key)) && !others.Any(other => IsKey(child, other)))
            {
                findings.AddUnknown(child, settings.Select(known => known.Key).Concat(others));
            }
        }
    }

    /// <summary>Sets what a section says by these keys; of others somebody else tells.</summary>
    public static void ApplyKnown<T>(this Setting<T>[] settings, IConfiguration section, T target, ConfigurationFindings findings)
    {
        foreach (var child in section.GetChildren())
        {
            if (settings.FirstOrDefault(setting => IsKey(child, setting.Key)) is { } setting && !TrySet(setting, target, child, findings))
            {
                findings.AddProblem(child, setting.Allowed);
            }
        }
    }

    /// <summary>Tells of a value where only a section makes sense; an empty one is an empty section.</summary>
    public static void DemandSection(IConfigurationSection section, ConfigurationFindings findings)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            findings.AddProblem(section, "a section");
        }
    }

    public static bool IsKey(IConfigurationSection section, string key) => section.Key.Equals(key, StringComparison.OrdinalIgnoreCase);

    public static Setting<T> Flag<T>(string key, Action<T, bool> set) => Scalar<T>(key, "true or false", (target, text) =>
    {
        var isFlag = bool.TryParse(text, out var value);
        if (isFlag)
        {
            set(target, value);
        }

        return isFlag;
    });

    public static Setting<T> Choice<T, TEnum>(string key, string allowed, Action<T, TEnum> set)
        where TEnum : struct, Enum => Scalar<T>(key, allowed, (target, text) =>
    {
        // A number would be read as well, whatever it means.
        var isName = Enum.TryParse<TEnum>(text, ignoreCase: true, out var value) && !int.TryParse(text, out _);
        if (isName)
        {
            set(target, value);
        }

        return isName;
    });

    public static Setting<T> Number<T>(string key, string allowed, Action<T, int> set) => Scalar<T>(key, allowed, (target, text) =>
    {
        var isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        if (isNumber)
        {
            set(target, value);
        }

        return isNumber;
    });

    /// <summary>A number, or null for no limit.</summary>
    public static Setting<T> Limit<T>(string key, string allowed, Action<T, long?> set) =>
        Nullable<T>(key, $"{allowed}, or null for no limit", target => set(target, null), (target, text) =>
    {
        var isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        if (isNumber)
        {
            set(target, value);
        }

        return isNumber;
    });

    public static Setting<T> Time<T>(string key, string allowed, Action<T, TimeSpan> set) => Scalar<T>(key, allowed, (target, text) =>
    {
        var isTime = TryParseTime(text, out var value);
        if (isTime)
        {
            set(target, value);
        }

        return isTime;
    });

    /// <summary>A time, or null for no limit.</summary>
    public static Setting<T> TimeLimit<T>(string key, string allowed, Action<T, TimeSpan?> set) =>
        Nullable<T>(key, $"{allowed}, or null for no limit", target => set(target, null), (target, text) =>
    {
        var isTime = TryParseTime(text, out var value);
        if (isTime)
        {
            set(target, value);
        }

        return isTime;
    });

    /// <summary>A section of BytesPerSecond and GracePeriod, of which what is not said stays as it is; or null for none.</summary>
    public static Setting<T> Rate<T>(string key, Func<T, MinDataRate?> get, Action<T, MinDataRate?> set) => new(
        key,
        "{ BytesPerSecond: greater than 0, GracePeriod: a time over 00:00:01 }, or null for none",
        (target, section, findings) =>
        {
            if (IsNull(section))
            {
                set(target, null);
                return true;
            }

            if (section.Value is not null)
            {
                return false;
            }

            var rate = new RateParts(get(target) ?? new AsgiServerLimits().MinRequestBodyDataRate!);
            var problemCount = findings.Problems.Count;
            s_rateParts.Apply(section, rate, findings);
            if (findings.Problems.Count == problemCount)
            {
                set(target, new MinDataRate(rate.BytesPerSecond, rate.GracePeriod));
            }

            return true;
        });

    private static readonly Setting<RateParts>[] s_rateParts =
    [
        Scalar<RateParts>(nameof(MinDataRate.BytesPerSecond), "a number greater than 0", static (rate, text) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out rate.BytesPerSecond)
            && rate.BytesPerSecond > 0
            && double.IsFinite(rate.BytesPerSecond)),
        Scalar<RateParts>(nameof(MinDataRate.GracePeriod), "a time over 00:00:01", static (rate, text) =>
            TryParseTime(text, out rate.GracePeriod) && rate.GracePeriod > TimeSpan.FromSeconds(1)),
    ];

    /// <summary>A list of texts, also in one value with commas between them, as an environment variable has it.</summary>
    public static Setting<T> List<T>(string key, string allowed, Func<T, string, bool> tryAdd) => new(
        key,
        allowed,
        (target, section, _) => (section.Value?.Split(',') ?? section.GetChildren().Select(child => child.Value ?? ""))
            .All(text => tryAdd(target, text.Trim())));

    /// <summary>A value that is one text.</summary>
    public static Setting<T> Scalar<T>(string key, string allowed, Func<T, string, bool> trySet) =>
        new(key, allowed, (target, section, _) => section.Value is { } text && trySet(target, text.Trim()));

    private static Setting<T> Nullable<T>(string key, string allowed, Action<T> setNull, Func<T, string, bool> trySet) =>
        new(key, allowed, (target, section, _) =>
        {
            if (IsNull(section))
            {
                setNull(target);
                return true;
            }

            return section.Value is { } text && trySet(target, text.Trim());
        });

    // JSON has null; an environment variable can say it only by a word, or by nothing.
    private static bool IsNull(IConfigurationSection section) => section.Value is { } text
        ? text.Length == 0 || text.Equals("null", StringComparison.OrdinalIgnoreCase)
        : !section.GetChildren().Any();

    private static bool TrySet<T>(Setting<T> setting, T target, IConfigurationSection section, ConfigurationFindings findings)
    {
        try
        {
            return setting.TrySet(target, section, findings);
        }
        catch (ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    // "30" would be thirty days, and "24:00:00" twenty-four in the general format, which nobody means.
    private static bool TryParseTime(string text, out TimeSpan time)
    {
        time = Timeout.InfiniteTimeSpan;
        return text.Equals("Infinite", StringComparison.OrdinalIgnoreCase)
            || (text.Contains(':') && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out time));
    }

    private sealed class RateParts(MinDataRate rate)
    {
        public double BytesPerSecond = rate.BytesPerSecond;
        public TimeSpan GracePeriod = rate.GracePeriod;
    }
}
