using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Cli;

/// <summary><c>report</c> writes one page that holds everything it shows.</summary>
public sealed partial class ReportTests : IDisposable
{
    private const string Hostile = "{{library}}</script><script>document.title='x'</script>/1";

    private readonly Tool _tool = new();
    private readonly ITestOutputHelper _output;

    public ReportTests(ITestOutputHelper output)
    {
        _output = output;
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { MemtableBytes = 1 << 20 });
        for (var at = 0; at < 300; at++)
            Apply(engine, Command.Insert(
                Encoding.UTF8.GetBytes($"jobs/{at:D4}"), new byte[10_000], ttlSeconds: at == 0 ? 1800UL : 0));
        Apply(engine, Command.Insert(Encoding.UTF8.GetBytes(Hostile), new byte[20_000]));
        engine.CompactAsync().GetAwaiter().GetResult();
    }

    private string Data => _tool.PathOf("data");

    private string Page => _tool.PathOf("report.html");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task EveryPictureHasItsNumbers()
    {
        var page = await MakeAsync();
        Assert.Contains("<dd>301</dd>", page, StringComparison.Ordinal); // live keys
        Assert.Contains("<tr><td>jobs/</td><td>2,700</td><td>3,000,000</td><td>300</td></tr>", page,
            StringComparison.Ordinal);
        Assert.Contains("<tr><td>0 (bottom)</td>", page, StringComparison.Ordinal);
        Assert.Contains("<tr><td>8,192 to 16,383</td><td>300</td></tr>", page, StringComparison.Ordinal);
        Assert.Contains("<tr><td>less than an hour</td><td>1</td></tr>", page, StringComparison.Ordinal);
        Assert.Matches("<tr><td>flushes</td><td>[1-9][0-9,]+</td><td>[1-9]</td></tr>", page);
        Assert.Equal(7, Regex.Count(page, "<canvas id="));
    }

    [Fact]
    public async Task PageLoadsNothing()
    {
        var page = LibraryScript().Replace(await MakeAsync(), "");
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.DoesNotContain(" src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<link", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeysCannotBecomeMarkup()
    {
        var page = await MakeAsync();
        Assert.DoesNotContain("<script>document", page, StringComparison.Ordinal);
        Assert.Contains(WebUtility.HtmlEncode(Hostile), page, StringComparison.Ordinal);
        using var data = JsonDocument.Parse(DataScript().Match(page).Groups["json"].Value);
        Assert.Contains(
            data.RootElement.EnumerateArray().SelectMany(chart => chart.GetProperty("rows").EnumerateArray()),
            row => row.GetProperty("label").GetString() == Hostile);
    }

    [Fact]
    public async Task ExistingPageIsReplacedOnDemandOnly()
    {
        await MakeAsync();
        await File.WriteAllTextAsync(Page, "mine");
        var refused = await _tool.RunAsync("report", Data, "--out", Page);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--force", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Page));
        Assert.Equal(0, (await _tool.RunAsync("report", Data, "--out", Page, "--force")).ExitCode);
        Assert.NotEqual("mine", await File.ReadAllTextAsync(Page));
    }

    [Fact]
    public async Task DirectoryWithoutDatabaseIsError()
    {
        Directory.CreateDirectory(_tool.PathOf("empty"));
        var failed = await _tool.RunAsync("report", _tool.PathOf("empty"), "--out", Page);
        Assert.Equal(3, failed.ExitCode);
        Assert.Contains("no database", Assert.Single(failed.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(Page));
    }

    [Fact]
    public async Task BrowserDrawsEveryChart()
    {
        if (Browser() is not { } browser)
        {
            _output.WriteLine("not run: there is no Chromium to draw the page with");
            return;
        }

        await MakeAsync();
        var profile = _tool.PathOf("profile");
        var drawn = await Tool.ResultAsync(_tool.Start(
            browser, "--headless", "--no-sandbox", "--disable-gpu", $"--user-data-dir={profile}",
            "--virtual-time-budget=10000", "--dump-dom", new Uri(Page).AbsoluteUri));
        Assert.Contains("data-charts=\"7\"", drawn.Output, StringComparison.Ordinal);
        Assert.Contains($"<title>{Data} - Varve report</title>", drawn.Output, StringComparison.Ordinal);
    }

    private static string? Browser() => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
        .SelectMany(folder => new[] { "chromium", "google-chrome" }.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    private async Task<string> MakeAsync()
    {
        var result = await _tool.RunAsync("report", Data, "--out", Page);
        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        return await File.ReadAllTextAsync(Page);
    }

    private static void Apply(LsmStateMachine engine, Command command)
    {
        Span<ApplyResult> results = [default];
        engine.ApplyChunk([new ApplyEntry(engine.LastApplied.Index + 1, 1, command)], results);
    }

    [GeneratedRegex("(?<=<script>)/\\*!.*?(?=</script>)", RegexOptions.Singleline)]
    private static partial Regex LibraryScript();

    [GeneratedRegex("id=\"data\">(?<json>.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex DataScript();
}
