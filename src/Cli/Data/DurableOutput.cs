using Varve.Storage;

namespace Varve.Cli.Data;

/// <summary>Writes a file that gets its name once it is complete and durable.</summary>
internal static class DurableOutput
{
    public static void Write(string file, Action<Stream> write)
    {
        var path = Path.GetFullPath(file);
        var temporary = path + ".tmp";
        var isMine = false;
        try
        {
            using (var stream = new FileStream(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 256 << 10))
            {
                isMine = true;
                write(stream);
            }

            using (var written = Storages.Default.Open(temporary, FileIntent.ReadWrite)) written.Sync();
            Storages.Default.Rename(temporary, path);
            Storages.Default.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch
        {
            if (isMine) File.Delete(temporary);
            throw;
        }
    }
}
