using Varve.Format;
using Varve.Tests.Engine.Recovery;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// Another process writes to a snapshot while it is installed: at each call of the install in turn, a file changes. The
/// installed state is the announced one, or the install is refused.
/// </summary>
public sealed class EditedWhileInstalledTests(SoundSnapshot sound, ITestOutputHelper output)
    : IClassFixture<SoundSnapshot>
{
    private static readonly Dictionary<string, Action<string>> Edits = new()
    {
        ["other bytes"] = path => File.WriteAllBytes(path, new byte[new FileInfo(path).Length]),
        ["one flipped bit"] = path => Database.Flip(path, new FileInfo(path).Length / 2),
        ["truncated"] = path => File.WriteAllBytes(path, []),
        ["grown"] = path => File.AppendAllText(path, "more"),
        ["removed"] = File.Delete,
        ["a link"] = path =>
        {
            File.Delete(path);
            File.CreateSymbolicLink(path, "/etc/passwd");
        },
        ["a directory"] = path =>
        {
            File.Delete(path);
            Directory.CreateDirectory(path);
        },
    };

    public static TheoryData<string> Names => [.. Edits.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task InstallTakesAnnouncedStateOrNothing(string edit)
    {
        int refused = 0, taken = 0;
        foreach (var part in (string[])[SnapshotNames.Manifest, SnapshotNames.Table(sound.Manifest.Tables[^1].Table)])
        {
            // A part of the calls, other ones for each edit, so that each call has some edit before it.
            var step = Sample.IsWhole ? 1 : 3;
            for (var call = Edits.Keys.Order(StringComparer.Ordinal).ToList().IndexOf(edit) % step; ; call += step)
            {
                using var victim = new AttackedDatabase();
                var copy = sound.Copy();
                var left = call;
                victim.Storage.Before = (_, _) =>
                {
                    if (Interlocked.Decrement(ref left) == -1) Edits[edit](Path.Combine(copy, part));
                };
                var isWhole = await victim.RefusesOrIsWholeAsync(
                    sound.Metadata, copy, $"{edit} of {part} at call {call}");
                victim.Storage.Before = null;
                if (isWhole) taken++;
                else
                {
                    refused++;
                    if (refused % 8 == 1) victim.SurvivesReopening();
                }

                Directory.Delete(copy, recursive: true);
                if (left >= 0) break; // the install had fewer calls than that
                if (call > 12 && !Sample.IsWhole) call += step;
            }
        }

        output.WriteLine($"{edit}: {refused} refused, {taken} installed whole");
        Assert.True(refused > 0 && taken > 0);
    }

    [Fact]
    public async Task PackThatBecomesDirectoryDuringInstallIsInstalledOrRefusedWhole()
    {
        using var victim = new AttackedDatabase();
        var path = Path.Combine(Path.GetDirectoryName(sound.Path)!, "becomes-a-directory");
        using (var pack = File.Create(path))
            await Varve.Snapshots.PackWriter.PackAsync(Varve.Storage.Storages.Default, sound.Path, pack);
        var isOpen = false;
        victim.Storage.Before = (operation, at) =>
        {
            if (at == path) isOpen = true;
            else if (isOpen && operation == "create" && File.Exists(path))
            {
                File.Delete(path);
                Directory.Move(sound.Copy(), path);
            }
        };
        Assert.True(await victim.RefusesOrIsWholeAsync(sound.Metadata, path, "a pack, then a directory"));
        Assert.True(Directory.Exists(path));
    }
}
