#!/usr/bin/env bash
# Compares the commit of each long figure in docs/DURABILITY.md with the last change of what it tests (tests/evidence.paths).
#
#   tests/evidence.sh          a line a row: fresh, stale, unknown (no such commit in this history) or unmapped (no paths);
#                              ends with 1 when a row is unknown or unmapped
#   tests/evidence.sh --mark   writes the marks of stale figures into the table too, and removes those of fresh ones
#
# A figure is stale unless the tree that it was measured on has the last change. EVIDENCE_ROOT: another tree than this one.
set -euo pipefail
root=${EVIDENCE_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
page=$root/docs/DURABILITY.md
map=$root/tests/evidence.paths
mark=${1:-}

state_of() { # commit, project
    local paths last
    paths=$(sed -n "s|^$2: ||p" "$map")
    [ -n "$paths" ] || { echo unmapped; return; }
    { [ -n "$1" ] && git -C "$root" merge-base --is-ancestor "$1" HEAD 2>/dev/null; } || { echo unknown; return; }
    # shellcheck disable=SC2086 # paths are words
    last=$(git -C "$root" log -1 --format=%H -- $paths)
    if [ -z "$last" ] || git -C "$root" merge-base --is-ancestor "$last" "$1"; then echo fresh; else echo stale; fi
}

bad=0
in_section=0
marked=$(mktemp)
trap 'rm -f "$marked"' EXIT
while IFS= read -r line; do
    case $line in
        '## Evidence'*) in_section=1 ;;
        '## '*) in_section=0 ;;
    esac
    if [ $in_section = 1 ] && [[ $line == '| '* ]] && [[ $line != '| what '* ]]; then
        IFS='|' read -r _ what ci long at command _ <<<"$line"
        commit=$(sed -n 's/^[^`]*`\([0-9a-f]\{7,40\}\)`.*/\1/p' <<<"$at")
        project=$(sed -n 's/^[^`]*`\([^` ]*\) -- .*/\1/p' <<<"$command")
        state=$(state_of "$commit" "$project")
        [ "$state" = fresh ] || [ "$state" = stale ] || bad=1
        printf '%-9s %-9s %s\n' "$state" "${commit:-none}" "${what# }"
        case $state in
            fresh) line="|$what|$ci|$long| \`$commit\` |$command|" ;;
            stale) line="|$what|$ci|$long| \`$commit\`, stale |$command|" ;;
        esac
    fi
    printf '%s\n' "$line" >>"$marked"
done <"$page"
[ "$mark" != --mark ] || cat "$marked" >"$page"
exit $bad
