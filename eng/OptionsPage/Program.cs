using Varve.Eng.OptionsPage;

// Writes docs/guides/options.md from the documentation of EngineOptions.
//
// Usage: OptionsPage PAGE [--check]    with --check only compares, and exits with 1 if the page is not current

if (args is not [var page, .. var rest] || rest is not ([] or ["--check"]))
{
    Console.Error.WriteLine("usage: OptionsPage PAGE [--check]");
    return 1;
}

var text = new PageWriter(DocumentationFile.OfEngine()).Write();
if (rest is [])
{
    File.WriteAllText(page, text);
    return 0;
}

if (File.Exists(page) && File.ReadAllText(page) == text) return 0;
Console.Error.WriteLine($"{page} is not current: dotnet run -c Release --project eng/OptionsPage -- {page}");
return 1;
