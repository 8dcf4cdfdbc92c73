using System.CommandLine;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve completion SHELL</c>: prints a script that completes this tool's words in a shell. The scripts ask the tool
/// itself, by the directive <c>[suggest]</c> of System.CommandLine, so they fit every version of it.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # varve completion bash: source this in ~/.bashrc
        _varve() {
            local words
            words=$(varve "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null) || return 0
            COMPREPLY=()
            while IFS= read -r word; do
                [ -n "$word" ] && COMPREPLY+=("$word")
            done < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -o default -F _varve varve
        """;

    private const string Zsh = """
        #compdef varve
        # varve completion zsh: source this in ~/.zshrc, after compinit
        _varve() {
            local -a words
            words=("${(@f)$(varve "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            if (( ${#words[1]} )); then compadd -a words; else _files; fi
        }
        compdef _varve varve
        """;

    private const string Fish = """
        # varve completion fish: save this as ~/.config/fish/completions/varve.fish
        function __varve_complete
            set -l line (commandline -cp)
            varve "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c varve -a '(__varve_complete)'
        """;

    private const string Pwsh = """
        # varve completion pwsh: call this from $PROFILE
        Register-ArgumentCompleter -Native -CommandName varve -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            varve "[suggest:$cursorPosition]" "$commandAst" 2>$null |
                Where-Object { $_ -like "$wordToComplete*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "The shell: bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "Prints a script that completes words in a shell.") { shell };
        command.SetAction(parsed =>
        {
            Console.Out.Write((parsed.GetRequiredValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => Pwsh,
            }).ReplaceLineEndings("\n") + "\n");
            return ExitCode.Ok;
        });
        return command;
    }
}
