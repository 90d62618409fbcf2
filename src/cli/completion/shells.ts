// What the shells are told: ask `runfold complete` for the words that may come next, and offer them.
// Nothing that was typed or answered is evaluated.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** In the place of words: offer files. */
export const FILES_MARK = ':files';

const BASH = String.raw`# bash completion of runfold; for ~/.bashrc: eval "$(runfold completion bash)"
_runfold() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES_MARK} ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("$line")
    fi
  done < <(runfold complete bash -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _runfold runfold
`;

const ZSH = String.raw`#compdef runfold
# zsh completion of runfold; for ~/.zshrc, after compinit: eval "$(runfold completion zsh)"
_runfold() {
  local line
  local -a values shown
  while IFS= read -r line; do
    if [[ $line == ${FILES_MARK} ]]; then
      compset -P '--*='
      _files
      return
    fi
    values+=("${'$'}{line%%$'\t'*}")
    shown+=("${'$'}{line/$'\t'/  -- }")
  done < <(runfold complete zsh -- "${'$'}{(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#values )) && compadd -l -d shown -a -- values
}
if [[ $funcstack[1] == _runfold ]]; then
  _runfold "$@"
else
  compdef _runfold runfold
fi
`;

const FISH = String.raw`# fish completion of runfold; for ~/.config/fish/config.fish: runfold completion fish | source
function __runfold_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (runfold complete fish -- $words "$current" 2>/dev/null)
        if test "$line" = ${FILES_MARK}
            __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current")
        else
            printf '%s\n' "$line"
        end
    end
end
complete -c runfold -f -a '(__runfold_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
