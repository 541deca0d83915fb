// The Date and Server lines the server adds (RFC 9110, sections 6.6.1 and 10.2.4).

using System.Text;

namespace Asgi.Server.Tests.Waist;

public sealed class DefaultFieldsTests
{
    private readonly WallClock _clock = new() { Now = new DateTimeOffset(1994, 11, 6, 8, 49, 37, 999, TimeSpan.Zero) };

    [Theory]
    [InlineData(ResponseFieldTraits.None, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: s\r\n")]
    [InlineData(ResponseFieldTraits.HasDate, "Server: s\r\n")]
    [InlineData(ResponseFieldTraits.HasServer, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")]
    [InlineData(ResponseFieldTraits.HasDate | ResponseFieldTraits.HasServer, "")]
    [InlineData(ResponseFieldTraits.HasConnection, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: s\r\n")]
    public void Only_what_the_application_has_not_set_is_added(ResponseFieldTraits traits, string lines) =>
        Assert.Equal(lines, Lines(new DefaultFields(_clock, "s"), traits));

    [Theory]
    [InlineData(ResponseFieldTraits.None, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")]
    [InlineData(ResponseFieldTraits.HasServer, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")]
    [InlineData(ResponseFieldTraits.HasDate, "")]
    public void Without_a_name_there_is_no_Server(ResponseFieldTraits traits, string lines) =>
        Assert.Equal(lines, Lines(new DefaultFields(_clock, serverName: null), traits));

    [Fact]
    public void Within_a_second_the_lines_are_built_once()
    {
        _clock.Now = _clock.Now.AddMilliseconds(-999);
        var fields = new DefaultFields(_clock, "s");

        fields.GetLines(ResponseFieldTraits.None);
        fields.GetLines(ResponseFieldTraits.None);

        Assert.Equal(1, _clock.Reads);
    }

    // One millisecond before the next second: that soon the clock is read again.
    [Fact]
    public void The_Date_changes_with_the_second()
    {
        var fields = new DefaultFields(_clock, "s");
        Assert.Contains("08:49:37", Lines(fields, ResponseFieldTraits.None), StringComparison.Ordinal);

        _clock.Now = _clock.Now.AddMilliseconds(1);

        Assert.True(SpinWait.SpinUntil(IsNext, AppHost.Patience));

        bool IsNext() => Lines(fields, ResponseFieldTraits.None).Contains("08:49:38", StringComparison.Ordinal);
    }

    private static string Lines(DefaultFields fields, ResponseFieldTraits traits) => Encoding.ASCII.GetString(fields.GetLines(traits).Span);

    private sealed class WallClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public int Reads { get; private set; }

        public override DateTimeOffset GetUtcNow()
        {
            Reads++;
            return Now;
        }
    }
}
