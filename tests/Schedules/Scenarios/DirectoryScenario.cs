using Varve.Format;
using Varve.Memtables;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// The hash directory about to split its one bucket: keys are added and replaced while a reader looks for those that
/// were there.
/// </summary>
internal sealed unsafe class DirectoryScenario : Scenario
{
    private const int Prefilled = 6; // one more splits
    private const int Operations = 4;
    private const int SegmentBytes = 8192;

    private static readonly byte[][] Keys = [.. Enumerable.Range(0, Prefilled + Operations).Select(
        n => new byte[] { (byte)'k', (byte)('a' + n) })];
    private static readonly ulong[] Hashes = [.. Keys.Select(key => TestHash.Of(key))];

    private readonly uint[] _references = new uint[Keys.Length + 1];
    private byte* _segment;
    private IndexMemory _memory = null!;
    private HashDirectory _directory = null!;
    private int _published = Prefilled;

    public override void Prepare(Scheduler scheduler)
    {
        _segment = (byte*)NativeMemory.AllocZeroed(SegmentBytes);
        _memory = new IndexMemory(SegmentBytes);
        _directory = new HashDirectory(_segment, _memory);
        var end = 64L;
        for (var i = 0; i < Keys.Length; i++) _references[i] = Write(i, prior: 0, ref end);
        _references[Keys.Length] = Write(0, _references[0], ref end);
        for (var i = 0; i < Prefilled; i++) _directory.Add(_references[i], Hashes[i]);
        Threads = [Add, Find];
    }

    public override void Dispose()
    {
        _memory.Dispose();
        NativeMemory.Free(_segment);
        base.Dispose();
    }

    private uint Write(int key, uint prior, ref long end)
    {
        var reference = OperationRef.FromOffset(end).Value;
        end += WalOperation.Write(
            new Span<byte>(_segment + end, (int)(SegmentBytes - end)), 1, new OperationRef(prior), RecordKind.Put,
            Keys[key], "value"u8,
            0);
        return reference;
    }

    private void Add()
    {
        for (var i = Prefilled; i < Keys.Length; i++)
        {
            if (i == Prefilled + 2) _directory.Replace(_references[0], _references[Keys.Length], Hashes[0]);
            else _directory.Add(_references[i], Hashes[i]);
            Volatile.Write(ref _published, i + 1);
        }
    }

    private void Find()
    {
        for (var i = 0; i < Operations; i++)
        {
            var published = Volatile.Read(ref _published);
            // The newest, and one of the old ones, which a split moves or leaves.
            var wanted = i % 2 == 0 ? published - 1 : i;
            if (wanted == Prefilled + 2) wanted = 0; // that step replaced the first
            var found = _directory.Find(Keys[wanted], Hashes[wanted]);
            var newer = wanted == 0 ? _references[Keys.Length] : _references[wanted];
            Expect(
                found == newer || (found == _references[wanted] && published <= Prefilled + 2),
                found == 0 ? "a published key was not found" : "another operation was found");
        }
    }
}
