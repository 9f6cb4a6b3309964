"""The scripts that make a shell ask flasheval what Tab may offer."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HIDDEN", "SCRIPTS"]

HIDDEN = "__complete"
"""The first word of a shell's own calls, ``flasheval __complete SHELL ...``; no verb."""

_BASH = r"""
_flasheval() {
    local line flags= first=1
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $first ]]; then flags=$line first=; else COMPREPLY+=("${line%%$'\t'*}"); fi
    done < <("$1" HIDDEN bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if type compopt &>/dev/null; then
        [[ $flags == *nospace* ]] && compopt -o nospace
        [[ $flags == *files* ]] && compopt -o filenames
    fi
    return 0
}
complete -F _flasheval flasheval
"""

_ZSH = r"""
_flasheval() {
    local -a lines names shown
    local line end=' '
    local -a asked=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
    lines=("${(@f)$("${(Q)words[1]}" HIDDEN zsh "${(@)asked}" 2>/dev/null)}")
    [[ $lines[1] == *nospace* ]] && end=''
    for line in "${(@)lines[2,-1]}"; do
        [[ -n $line ]] || continue
        names+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  }")
    done
    compadd -l -S "$end" -d shown -a names
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
compdef _flasheval flasheval
"""

_FISH = r"""
function __flasheval_offered
    set -l words (commandline -opc)
    $words[1] HIDDEN fish $words[2..] (commandline -ct) 2>/dev/null | tail -n +2
end
complete -c flasheval -f -k -a '(__flasheval_offered)'
"""

SCRIPTS: Mapping[str, str] = {
    shell: text.strip("\n").replace("HIDDEN", HIDDEN) + "\n"
    for shell, text in (("bash", _BASH), ("zsh", _ZSH), ("fish", _FISH))
}
"""The script of each shell, by its name."""
