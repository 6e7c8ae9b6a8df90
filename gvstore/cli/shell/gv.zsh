#compdef gv
# Completion of gv for zsh: `eval "$(gv completion zsh)"` in ~/.zshrc behind `compinit`, or `gv completion zsh --install`.
_gv() {
    local line value about files=
    local -a values shown open openshown
    while IFS= read -r line; do
        value=${line%%$'\t'*} about=${line#*$'\t'}
        if [[ -z $value ]]; then
            files=$about
        elif [[ $value == *[:/.=] ]]; then
            open+=("$value") openshown+=("$value${about:+  $about}")
        else
            values+=("$value") shown+=("$value${about:+  $about}")
        fi
    done < <("${_GV_COMMAND:-gv}" complete-words zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#values )) && compadd -l -V gv -d shown -a values
    (( $#open )) && compadd -l -V gv-open -S '' -d openshown -a open
    case $files in
        files) _files ;;
        folders) _files -/ ;;
    esac
}
if [[ $funcstack[1] == _gv ]]; then
    _gv "$@"
elif (( $+functions[compdef] )); then
    compdef _gv gv
fi
