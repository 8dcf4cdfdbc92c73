using Varve.Cli.Text;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary>Long work is a bar on a terminal, a line every ten seconds elsewhere, and nothing if it is short.</summary>
public sealed class LongWorkTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly HandClock _clock = new();

    [Fact]
    public void TerminalShowsBarRateAndTimeLeft()
    {
        using (var work = Make(columns: 120))
        {
            _clock.Now = TimeSpan.FromSeconds(10);
            work.Report(50 << 20, 0.25, 1_234);
            Assert.Equal(
                "\r\x1b[Kreading █████░░░░░░░░░░░░░░░  25 %, 1,234 keys, 50.0 MiB, 5.0 MiB/s, 0:30 left",
                _output.ToString());
            work.Report(60 << 20, 0.3); // too soon
            _clock.Now += TimeSpan.FromHours(1);
            work.Report(100 << 20, 0.5);
            Assert.EndsWith(" 50 %, 100.0 MiB, 28.4 KiB/s, 1:00:10 left", _output.ToString(), StringComparison.Ordinal);
        }

        Assert.EndsWith("left\r\x1b[K", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void LineIsNotWiderThanTerminal()
    {
        using var work = Make(columns: 30);
        _clock.Now = TimeSpan.FromSeconds(1);
        work.Report(1 << 20, 1.7, 1);
        Assert.Equal("\r\x1b[Kreading ████████████████████ ", _output.ToString());
    }

    [Fact]
    public void WorkOfUnknownLengthHasNoBar()
    {
        using var work = Make(columns: 80);
        _clock.Now = TimeSpan.FromSeconds(2);
        work.Report(4096);
        Assert.Equal("\r\x1b[Kreading 4.0 KiB, 2.0 KiB/s", _output.ToString());
    }

    [Fact]
    public void RedirectedOutputGetsPlainLineEveryTenSeconds()
    {
        using (var work = Make(columns: 0))
            for (var second = 1; second <= 25; second++)
            {
                _clock.Now = TimeSpan.FromSeconds(second);
                work.Report(second * 1024, second / 25.0);
            }

        Assert.Equal(
            "reading:  40 %, 10.0 KiB, 1.0 KiB/s, 0:15 left\nreading:  80 %, 20.0 KiB, 1.0 KiB/s, 0:05 left\n",
            _output.ToString());
    }

    [Fact]
    public async Task WatchedTaskPassesItsFailureOn()
    {
        using var work = Make(columns: 0);
        await Assert.ThrowsAsync<IOException>(
            () => work.WatchAsync(Task.FromException(new IOException()), () => (0, null)));
        Assert.Empty(_output.ToString());
    }

    private LongWork Make(int columns) => new("reading", "keys", _output, columns, _clock);

    private sealed class HandClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
