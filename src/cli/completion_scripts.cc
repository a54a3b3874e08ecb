#include <array>
#include <utility>

#include "cli/completion.h"

// Each script passes the words up to the cursor on, and takes the answer's first line, `none`,
// `files` or `directories`, for the paths to add to the candidates that follow.

namespace assay {
namespace {

constexpr std::string_view kBash = R"SCRIPT(# assay's completion for bash. Source it, or keep it as
#   ~/.local/share/bash-completion/completions/assay
_assay() {
  local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^=:]/}
  local -a words replies
  # bash has split its own words at = and : too. Backslashes are meant to be taken away here.
  # shellcheck disable=SC2162
  read -a words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  local typed=${words[-1]} kept=''
  # Only what stands behind the last of these is replaced.
  [[ -z $breaks ]] || kept=${typed%"${typed##*["$breaks"]}"}

  mapfile -t replies < <("${1/#\~/$HOME}" completion words -- "${words[@]:1}" 2>/dev/null)
  local reply
  COMPREPLY=()
  for reply in "${replies[@]:1}"; do
    reply=${reply%%$'\t'*}
    COMPREPLY+=("${reply#"$kept"}")
  done
  case ${replies[0]-} in
    files) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${typed#"$kept"}") ;;
    directories) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${typed#"$kept"}") ;;
    *) return 0 ;;
  esac
  compopt -o filenames 2>/dev/null || true
}
complete -F _assay assay
)SCRIPT";

constexpr std::string_view kZsh = R"SCRIPT(#compdef assay
# assay's completion for zsh. Keep it as _assay in a folder of $fpath, or source it after compinit.
_assay() {
  local program=${${(Q)words[1]}/#\~/$HOME} line word
  local -a replies candidates
  replies=("${(@f)$("$program" completion words -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  for line in "${(@)replies[2,-1]}"; do
    word=${line%%$'\t'*}
    candidates+=("${word//:/\\:}:${line#*$'\t'}")
  done
  local found=1
  (( $#candidates )) && _describe -V 'assay' candidates && found=0
  [[ $PREFIX == --*=* ]] && compset -P '*='
  case $replies[1] in
    files) _files && found=0 ;;
    directories) _files -/ && found=0 ;;
  esac
  return found
}
if [[ ${funcstack[1]} == _assay ]]; then
  _assay "$@"
else
  compdef _assay assay
fi
)SCRIPT";

constexpr std::string_view kFish = R"SCRIPT(# assay's completion for fish. Keep it as
#   ~/.config/fish/completions/assay.fish
function __assay_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l program (string replace -r '^~' "$HOME" -- $words[1])
    set -l replies ($program completion words -- $words[2..-1] "$typed" 2>/dev/null)
    set -l flag (string match -r '^--[^=]*=' -- "$typed")
    set -l path (string replace -r '^--[^=]*=' '' -- "$typed")
    printf '%s\n' $replies[2..-1]
    switch "$replies[1]"
        case files
            for each in (__fish_complete_path "$path")
                echo "$flag$each"
            end
        case directories
            for each in (__fish_complete_directories "$path" '')
                echo "$flag$each"
            end
    end
end
complete -c assay -f -k -a '(__assay_complete)'
)SCRIPT";

constexpr std::array kScripts{std::pair{std::string_view("bash"), kBash},
                              std::pair{std::string_view("zsh"), kZsh},
                              std::pair{std::string_view("fish"), kFish}};

}  // namespace

std::vector<std::string_view> completion_shells() {
  std::vector<std::string_view> shells;
  for (const auto& [shell, script] : kScripts) shells.push_back(shell);
  return shells;
}

std::string_view completion_script(std::string_view shell) {
  for (const auto& [name, script] : kScripts) {
    if (name == shell) return script;
  }
  return {};
}

}  // namespace assay
