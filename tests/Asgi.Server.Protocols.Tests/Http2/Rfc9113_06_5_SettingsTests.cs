// RFC 9113, section 6.5: each setting at its limits and one past them.

using System.Buffers.Binary;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_06_5_SettingsTests
{
    [Theory]
    [InlineData(1, 0u, null)]
    [InlineData(1, uint.MaxValue, null)]
    [InlineData(2, 0u, null)]
    [InlineData(2, 1u, null)]
    [InlineData(2, 2u, "ProtocolError InvalidEnablePush")]
    [InlineData(2, uint.MaxValue, "ProtocolError InvalidEnablePush")]
    [InlineData(3, 0u, null)]
    [InlineData(3, uint.MaxValue, null)]
    [InlineData(4, 0u, null)]
    [InlineData(4, 0x7FFF_FFFFu, null)]
    [InlineData(4, 0x8000_0000u, "FlowControlError InvalidInitialWindowSize")]
    [InlineData(5, 16_383u, "ProtocolError InvalidMaxFrameSize")]
    [InlineData(5, 16_384u, null)]
    [InlineData(5, 16_777_215u, null)]
    [InlineData(5, 16_777_216u, "ProtocolError InvalidMaxFrameSize")]
    [InlineData(6, 0u, null)]
    [InlineData(6, uint.MaxValue, null)]
    [InlineData(8, 0u, null)]
    [InlineData(8, 1u, null)]
    [InlineData(8, 2u, "ProtocolError InvalidEnableConnectProtocol")]
    [InlineData(0, uint.MaxValue, null)]
    [InlineData(7, uint.MaxValue, null)]
    [InlineData(9, 1u, null)]
    [InlineData(0xFFFF, uint.MaxValue, null)]
    public void A_setting_has_its_range(int id, uint value, string? fault) =>
        Assert.Equal([fault is null ? "Settings" : $"Fault {fault}"], Http2Run.Of(Settings(((ushort)id, value))));

    [Fact]
    public void Without_settings_the_values_are_those_of_the_rfc()
    {
        Http2Settings settings = new Http2Run().Machine.PeerSettings;
        Assert.Equal(
            (4096, 65_535, 16_384, uint.MaxValue),
            (settings.HeaderTableSize, settings.InitialWindowSize, settings.MaxFrameSize, settings.MaxHeaderListSize));
    }

    [Fact]
    public void Settings_are_applied_in_order_before_they_are_told()
    {
        var run = new Http2Run();
        run.Receive(Start, Settings((1, 1), (5, 17_000), (1, 7), (6, 9), (4, 3), (0xF0, 5)));
        Http2Settings settings = run.Machine.PeerSettings;
        Assert.Equal(
            (7, 3, 17_000, 9u),
            (settings.HeaderTableSize, settings.InitialWindowSize, settings.MaxFrameSize, settings.MaxHeaderListSize));
        run.Receive(Settings((1, uint.MaxValue)));
        Assert.Equal((int.MaxValue, 3), (run.Machine.PeerSettings.HeaderTableSize, run.Machine.PeerSettings.InitialWindowSize));
    }

    [Fact]
    public void An_acknowledgement_is_told() => Assert.Equal(["SettingsAck"], Http2Run.Of(SettingsAck()));

    [Fact]
    public void A_frame_of_settings_has_room_for_2730_and_no_more_whatever_frames_may_be()
    {
        var limits = new Http2Limits { MaxFrameSize = 100_000 };
        byte[] Many(int count) => Settings([.. Enumerable.Repeat(((ushort)0xF0, 1u), count)]);

        var run = new Http2Run(limits);
        run.Receive(Start, Many(2730));
        Assert.Equal("Settings", run.Last);
        run.Receive(Many(2731));
        Assert.Equal("Fault EnhanceYourCalm TooManySettings", run.Last);
    }

    [Fact]
    public void Ours_say_what_differs_from_the_rfc()
    {
        static string Written(Http2Limits limits)
        {
            var bytes = new byte[Http2FrameWriter.ServerPrefaceSizeMax];
            int length = Http2FrameWriter.WriteServerPreface(bytes, limits);
            var text = new List<string>();
            int settings = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(1));
            Assert.Equal([0, (byte)(settings >> 8), (byte)settings, 4, 0, 0, 0, 0, 0], bytes[..9]);
            for (int i = 9; i < 9 + settings; i += 6)
            {
                uint value = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(i + 2));
                text.Add($"{BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(i))}={value}");
            }
            return $"{string.Join(' ', text)} {Convert.ToHexString(bytes[(9 + settings)..length])}";
        }

        Assert.Equal("3=100 4=786432 6=32768 8=1 000004080000000000000F0001", Written(Http2Limits.Default));
        Assert.Equal(
            "3=7 4=70000 6=9000 1=0 5=20000 ",
            Written(new()
            {
                MaxStreamsPerConnection = 7, InitialStreamWindowSize = 70_000, MaxRequestHeadersTotalSize = 9000, HeaderTableSize = 0,
                MaxFrameSize = 20_000, AllowsExtendedConnect = false, InitialConnectionWindowSize = 65_535,
            }));
    }

    [Fact]
    public void Frames_are_written_as_the_rfc_draws_them()
    {
        var bytes = new byte[64];
        string Hex(int length) => Convert.ToHexString(bytes.AsSpan(0, length));

        Assert.Equal("000000040100000000", Hex(Http2FrameWriter.WriteSettingsAck(bytes)));
        Assert.Equal("0000080600000000000102030405060708", Hex(Http2FrameWriter.WritePing(bytes, 0x0102030405060708, isAck: false)));
        Assert.Equal("0000080601000000000102030405060708", Hex(Http2FrameWriter.WritePing(bytes, 0x0102030405060708, isAck: true)));
        Assert.Equal("0000040300000000050000000B", Hex(Http2FrameWriter.WriteRstStream(bytes, 5, Http2ErrorCode.EnhanceYourCalm)));
        Assert.Equal("0000040800000000077FFFFFFF", Hex(Http2FrameWriter.WriteWindowUpdate(bytes, 7, int.MaxValue)));
        Assert.Equal(
            "0000080700000000007FFFFFFF00000000", Hex(Http2FrameWriter.WriteGoAway(bytes, int.MaxValue, Http2ErrorCode.NoError)));
        Assert.Equal(
            "00000A07000000000000000009000000016869",
            Hex(Http2FrameWriter.WriteGoAway(bytes, 9, Http2ErrorCode.ProtocolError, "hi"u8)));
        Assert.Equal(
            "FFFFFF00017FFFFFFF",
            Hex(Http2FrameWriter.WriteHeader(bytes, 0xFFFFFF, Http2FrameType.Data, Http2FrameFlags.EndStream, int.MaxValue)));
    }
}
