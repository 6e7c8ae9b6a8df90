# Completion of gv for fish: `gv completion fish | source`, or `gv completion fish --install`.
function __gv_complete
    set -l command gv
    set -q _GV_COMMAND; and set command $_GV_COMMAND
    set -l current (commandline -ct)
    set -q current[1]; or set current ''
    set -l words (commandline -opc) $current[1]
    for line in ($command complete-words fish $words[2..-1] 2>/dev/null)
        switch $line
            case \t'files'
                __fish_complete_path $current[1]
            case \t'folders'
                __fish_complete_directories $current[1]
            case '*'
                echo $line
        end
    end
end
complete -c gv -f -k -a '(__gv_complete)'
