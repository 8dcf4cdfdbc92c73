using Varve.Background;
using Varve.Format;
using Varve.Inspection;
using Varve.Tests.Engine.Recovery;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;
using Xunit;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// Two databases make a snapshot in one directory, the second between two steps of the first, and the power fails at
/// any moment: what is in the directory is one of the two snapshots, whole, or none; and the one that was acknowledged
/// is there.
/// </summary>
public sealed class SnapshotTargetLossTests
{
    private const string Target = "/data/snapshots/target";
    private const int StepsApart = 3;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void TargetHoldsWholeSnapshotOrNoneAfterPowerLoss(bool exists, bool cannotBeReplaced)
    {
        var random = new Random(12);
        var images = 0;
        for (var step = 0; ; step += StepsApart)
        {
            using var disk = new SimFs { IsCached = false };
            var journal = disk.Record();
            if (!Live(disk, exists, cannotBeReplaced, step)) break;
            images += Check(journal, random);
        }

        Assert.True(images > 20, $"{images} images with a snapshot");
    }

    /// <summary>Both make their snapshots; false: the first took fewer steps than that.</summary>
    private static bool Live(SimFs disk, bool exists, bool cannotBeReplaced, int step)
    {
        disk.CreateDirectory(Path.GetDirectoryName(Target)!);
        if (exists) disk.CreateDirectory(Target);
        disk.SyncDirectory("/");
        disk.SyncDirectory("/data");
        disk.SyncDirectory(Path.GetDirectoryName(Target)!);
        using var first = Open(disk, "/data/a");
        using var second = Open(disk, "/data/b");
        var (taken, isInside, byFirst, bySecond) = (0, false, 0, 0);
        disk.Faults.Before = (call, path) =>
        {
            if (cannotBeReplaced && call == SimCall.DeleteDirectory && path == Target) throw new IOException("busy");
            if (isInside || !path.StartsWith("/data/snapshots", StringComparison.Ordinal) || taken++ != step) return;
            isInside = true;
            bySecond = Make(disk, second);
        };
        byFirst = Make(disk, first);
        disk.Faults.Before = null;
        if (taken <= step) return false;
        Assert.Equal(1, byFirst + bySecond);
        return true;
    }

    private static int Make(SimFs disk, LsmStateMachine machine)
    {
        try
        {
            machine.GenerateSnapshotDataAsync(Target, machine.LastApplied).GetAwaiter().GetResult();
            disk.Note(Target);
            return 1;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static LsmStateMachine Open(SimFs disk, string directory)
    {
        var machine = LsmStateMachine.Open(directory, Life.Options, new EngineSeams(disk, new ManualScheduler()));
        NumberedLog.ApplyUpTo(machine, 20);
        return machine;
    }

    private static int Check(Journal journal, Random random)
    {
        var (unsynced, image, images, isKept) = (new UnsyncedDisk(), new CrashImage(), 0, false);
        foreach (var happened in journal.Events)
        {
            unsynced.Apply(happened);
            isKept |= happened.Note is Target;
            var point = new CrashPoint(unsynced);
            for (var way = 0; way < 3; way++)
            {
                int[] options = way == 0
                    ? new int[point.Doubts.Count]
                    : way == 1 ? point.Newest()
                    : [.. point.Doubts.Select(doubt => random.Next(doubt.Options))];
                point.Build(options, image);
                var isThere = image.Find(Target + "/" + SnapshotNames.Manifest) != 0;
                Assert.True(isThere || !isKept, "a snapshot that was acknowledged is gone");
                if (!isThere || (way == 2 && random.Next(8) != 0)) continue;
                using var after = new SimFs { IsCached = false };
                after.Load(image);
                Assert.DoesNotContain(
                    Verification.Check(after, Target, deep: true), problem => problem.Severity == Severity.Damage);
                images++;
            }
        }

        return images;
    }
}
