using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Report;

/// <summary>
/// Writes a report as one page of HTML that loads nothing: the chart library, the script, the styles and the numbers
/// are in it. A browser without scripts shows the tables alone. Text of the database, such as keys, is escaped.
/// </summary>
internal static partial class ReportPage
{
    public static void Write(ReportDocument report, TextWriter output) =>
        // One pass, so that text of the database is never taken for a place of the page.
        output.Write(Place().Replace(Resource("report.html"), place => place.Groups["name"].Value switch
        {
            "title" => Html(report.Directory),
            "made" => Html(report.Made),
            "facts" => Facts(report.Facts),
            "charts" => string.Concat(report.Charts.Select(Section)),
            "data" => Data(report.Charts),
            "library" => Resource("report.chart.js"),
            var name => throw new InvalidOperationException($"report.html has an unknown place: {name}"),
        }));

    private static string Facts(ReportFact[] facts)
    {
        var html = new StringBuilder();
        foreach (var fact in facts)
            html.Append($"<div><dt>{Html(fact.Name)}</dt><dd>{Html(fact.Value)}</dd></div>\n");
        return html.ToString();
    }

    private static string Section(ReportChart chart)
    {
        var html = new StringBuilder();
        html.Append($"<section><h2>{Html(chart.Title)}</h2>\n<p>{Html(chart.Text)}</p>\n");
        if (chart.Rows.Length == 0) return html.Append("<p class=\"none\">There is nothing to show.</p></section>\n")
            .ToString();
        html.Append(
            $"<div class=\"chart\"><canvas id=\"{chart.Id}\" role=\"img\" aria-label=\"{Html(chart.Title)}\">"
                + "</canvas></div>\n<details><summary>Numbers</summary>\n");
        AppendTable(html, chart);
        return html.Append("</details></section>\n").ToString();
    }

    private static void AppendTable(StringBuilder html, ReportChart chart)
    {
        html.Append($"<table><thead><tr><th>{Html(chart.LabelName)}</th>");
        foreach (var column in chart.Columns)
            html.Append($"<th>{Html(column)}</th>");
        html.Append("</tr></thead><tbody>\n");
        foreach (var row in chart.Rows)
        {
            html.Append($"<tr><td>{Html(row.Label)}</td>");
            foreach (var number in row.Numbers)
                html.Append($"<td>{SizeText.Count((long)number)}</td>");
            html.Append("</tr>\n");
        }

        html.Append("</tbody></table>\n");
    }

    // Within a script element only "<" can end it, and JSON may write it as an escape.
    private static string Data(ReportChart[] charts) =>
        JsonSerializer.Serialize(charts, ToolJson.TypeOf<ReportChart[]>(ToolJson.Lines))
            .Replace("<", "\\u003c", StringComparison.Ordinal);

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static string Resource(string name)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\{\{(?<name>[a-z]+)\}\}")]
    private static partial Regex Place();
}
