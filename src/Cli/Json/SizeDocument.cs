using Varve.Cli.Sizes;
using Varve.Cli.Text;

namespace Varve.Cli.Json;

/// <summary>The result of <c>size</c>. Keys and prefixes are text with escapes, as <c>scan</c> prints them.</summary>
internal sealed record SizeDocument(
    string Prefix, ulong Revision, long Keys, long KeyBytes, long ValueBytes, SizeGroup[] Prefixes,
    SizedKey[] Largest, SizeBucket[] KeySizes, SizeBucket[] ValueSizes)
{
    public static SizeDocument Of(byte[] prefix, SizeSurvey survey, int groupsMax) => new(
        KeyText.Escape(prefix), survey.Revision, survey.Total.Keys, survey.Total.KeyBytes, survey.Total.ValueBytes,
        [.. survey.Groups.Take(groupsMax).Select(SizeGroup.Of)],
        [.. survey.Largest.Select(key => new SizedKey(KeyText.Escape(key.Key), key.Key.Length, key.ValueBytes))],
        Buckets(survey.KeySizes), Buckets(survey.ValueSizes));

    private static SizeBucket[] Buckets(SizeHistogram sizes) =>
        [.. sizes.Buckets.Select(bucket => new SizeBucket(bucket.From, bucket.To, bucket.Count))];
}
