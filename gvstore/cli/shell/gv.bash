# Completion of gv for bash: `eval "$(gv completion bash)"` in ~/.bashrc, or `gv completion bash --install`.
# bash splits words at ":" and "=", so gv gets the line as it was typed, and answers with what is to stand behind the last split.
_gv() {
    local line kind=
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            $'\tfiles') kind=-f ;;
            $'\tfolders') kind=-d ;;
            $'\tmore') compopt -o nospace 2>/dev/null ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <("${_GV_COMMAND:-gv}" complete-words bash "${COMP_LINE:0:$COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    compopt -o nosort 2>/dev/null
    if [ -n "$kind" ]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$kind" -- "$2")
    fi
}
complete -F _gv gv
