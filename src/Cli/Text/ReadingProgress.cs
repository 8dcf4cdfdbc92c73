namespace Varve.Cli.Text;

/// <summary>
/// Shows on standard error how far a verification has come: as <see cref="LongWork"/> does, or on request one line a
/// file.
/// </summary>
internal sealed class ReadingProgress : IDisposable
{
    private readonly LongWork _work = new("reading");
    private readonly bool _namesFiles;
    private readonly long _all;
    private string? _file;

    /// <param name="path">Path of the directory or file that is read.</param>
    /// <param name="namesFiles">Prints a line a file instead, if there is no terminal.</param>
    public ReadingProgress(string path, bool namesFiles)
    {
        _namesFiles = namesFiles && Console.IsErrorRedirected;
        _all = Directory.Exists(path) ? LongWork.BytesOf(path) : File.Exists(path) ? new FileInfo(path).Length : 0;
    }

    /// <summary>Takes the path of the file that is read, and the bytes read so far.</summary>
    public void Report(string file, long bytes)
    {
        if (!_namesFiles)
        {
            _work.Report(bytes, LongWork.ShareOf(bytes, _all));
            return;
        }

        if (file != _file) Console.Error.WriteLine($"reading {file}");
        _file = file;
    }

    /// <summary>Clears the open line.</summary>
    public void Dispose() => _work.Dispose();
}
