using System.Globalization;
using System.Reflection;
using System.Text;

namespace Varve.Eng.OptionsPage;

/// <summary>Writes the page: the options that matter first, then the rest, then the values of their types.</summary>
internal sealed class PageWriter(DocumentationFile documentation)
{
    private const int Columns = 120;

    private static readonly (string Title, string Introduction, string[] Options)[] Groups =
    [
        ("The three that matter", "Decide these before the first open.",
            [
                nameof(EngineOptions.Durability), nameof(EngineOptions.LeaseClock),
                nameof(EngineOptions.MemoryBudgetBytes),
            ]),
        ("In a Raft group", "All members need the same values of `InvalidCommands` and `ExpiredLeaseRetention`.",
            [
                nameof(EngineOptions.InvalidCommands), nameof(EngineOptions.ExpiredLeaseRetention),
                nameof(EngineOptions.LogGaps), nameof(EngineOptions.HistoryEntries),
                nameof(EngineOptions.HistoryBytes),
            ]),
        ("Around the engine", "How it is opened, and what it talks to.",
            [
                nameof(EngineOptions.ReadOnly), nameof(EngineOptions.Name), nameof(EngineOptions.LoggerFactory),
                nameof(EngineOptions.TimeProvider), nameof(EngineOptions.SyncInterval),
                nameof(EngineOptions.IdleAfter), nameof(EngineOptions.ParanoidChecks),
                nameof(EngineOptions.SlowSyncAfter), nameof(EngineOptions.LowDiskBytes),
            ]),
    ];

    private const string LastTitle = "For measured problems";

    private readonly EngineOptions _defaults = new();
    private readonly SortedDictionary<string, PropertyInfo> _options = new(
        typeof(EngineOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .ToDictionary(property => property.Name),
        StringComparer.Ordinal);

    public string Write()
    {
        var page = new StringBuilder("# Options\n\n");
        Paragraph(page, "The properties of `EngineOptions`, with their defaults. In the configuration of a "
            + "[host](hosting.md) the keys have the same names. Which to change when: [sizing](sizing.md). This page "
            + "is generated from the documentation of the code by `eng/OptionsPage`.");
        var left = _options.Keys.ToList();
        foreach (var (title, introduction, options) in Groups)
        {
            Group(page, title, introduction, options);
            left.RemoveAll(options.Contains);
        }

        Group(page, LastTitle, "The defaults are right until a measurement says otherwise.", left);
        page.Append("\n## Values\n");
        foreach (var type in _options.Values.Select(option => option.PropertyType).Where(type => type.IsEnum))
            Values(page, type);
        return page.ToString();
    }

    private void Group(StringBuilder page, string title, string introduction, IEnumerable<string> names)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");
        Paragraph(page, introduction);
        foreach (var name in names)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {name}\n\n");
            page.Append(CultureInfo.InvariantCulture, $"`{TypeName(_options[name].PropertyType)}`, ");
            page.Append(CultureInfo.InvariantCulture, $"default {Default(_options[name])}\n\n");
            Paragraphs(page, documentation.SummaryOf($"P:{typeof(EngineOptions)}.{name}"));
        }
    }

    private void Values(StringBuilder page, Type type)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n### {type.Name} values\n\n");
        foreach (var value in Enum.GetNames(type))
            Paragraph(page, $"- **{value}.** {string.Join(' ', documentation.SummaryOf($"F:{type}.{value}"))}", "  ");
    }

    /// <summary>The only default that depends on the machine is described by the option's own text.</summary>
    private string Default(PropertyInfo option) => option.Name == nameof(EngineOptions.MemoryBudgetBytes)
        ? "see below"
        : option.GetValue(_defaults) switch
        {
            null => "`null`",
            true => "`true`",
            false => "`false`",
            long bytes => $"{Size(bytes)}",
            int bytes when option.Name.EndsWith("Bytes", StringComparison.Ordinal) => $"{Size(bytes)}",
            TimeProvider => "`TimeProvider.System`",
            double ratio => $"`{ratio.ToString("0.0##", CultureInfo.InvariantCulture)}`",
            var value => string.Create(CultureInfo.InvariantCulture, $"`{value}`"),
        };

    private static string Size(long bytes) => bytes switch
    {
        >= 1 << 30 when bytes % (1 << 30) == 0 => $"`{bytes >> 30}L << 30` ({bytes >> 30} GiB)",
        >= 1 << 20 when bytes % (1 << 20) == 0 => $"`{bytes >> 20} << 20` ({bytes >> 20} MiB)",
        >= 1 << 10 when bytes % (1 << 10) == 0 => $"`{bytes >> 10} << 10` ({bytes >> 10} KiB)",
        _ => $"`{bytes}`",
    };

    private static string TypeName(Type type) => type == typeof(int) ? "int"
        : type == typeof(long) ? "long"
        : type == typeof(bool) ? "bool"
        : type == typeof(double) ? "double"
        : type.Name;

    private static void Paragraphs(StringBuilder page, IReadOnlyList<string> paragraphs)
    {
        for (var i = 0; i < paragraphs.Count; i++)
        {
            if (i > 0) page.Append('\n');
            Paragraph(page, paragraphs[i]);
        }
    }

    /// <summary>Appends words in lines of at most <see cref="Columns"/>.</summary>
    private static void Paragraph(StringBuilder page, string text, string indent = "")
    {
        var length = 0;
        foreach (var word in text.Split(' '))
        {
            if (length > 0 && length + 1 + word.Length > Columns)
            {
                page.Append('\n').Append(indent);
                length = indent.Length;
            }
            else if (length > 0)
            {
                page.Append(' ');
                length++;
            }

            page.Append(word);
            length += word.Length;
        }

        page.Append('\n');
    }
}
