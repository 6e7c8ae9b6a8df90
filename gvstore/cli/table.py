"""The names of all commands, with the first line of their help.

It stands here and not in the commands so that `gv --help` imports none of
them; a test compares each line with the command's own help.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "demo": "Go the whole way with a small real program",
        "init": "Make a repository",
        "help": "Show the manual, by command and by theme",
        "completion": "Complete commands, revs, runs and calls in the shell",
    },
    "Execute": {
        "run": "Run a function and record every call",
        "machine": "Look at state machines, draw them, and make tests of their steps",
        "runs": "List the runs, the newest first",
        "show": "Show a run, a call, a commit, a file, a component or a value",
        "blame": "Tell which commit a line came with, or which call first wrote a text",
        "rewind": "Make a new run that stops before a call",
        "replay": "Run a program again, answering from its record what is unchanged",
        "rebase": "Replay many runs by one code, each as a new run",
        "cherry-pick": "Pick commits onto HEAD, or a call's outcome into another run",
        "inbox": "List the open questions",
        "answer": "Answer an open question and go on with its run",
        "note": "Write notes on a run, or show them",
        "score": "Give runs scores, or show them",
        "rm": "Take runs out of the list",
        "put": "Store a value",
        "get": "Hand out a bare value or file",
        "pipeline": "Run, check and draw pipelines of model calls",
    },
    "Keep history": {
        "status": "Show what changed since the last commit",
        "commit": "Commit the work tree and the finished runs",
        "log": "Show the commits, the newest first",
        "diff": "Show how files, commits, runs or values differ",
        "grep": "Show lines that match, in files, commits and runs",
        "bisect": "Find the commit, or the call of a run, from which on something is bad",
        "branch": "List, make, rename or delete branches",
        "switch": "Go onto a branch",
        "tag": "List, make or delete tags: names of commits, runs and values",
        "merge": "Join another line of commits with this one",
        "revert": "Undo what commits changed, by new commits",
        "checkout": "Bring the work tree to a commit, a branch, or the code of a run",
        "restore": "Bring files back to what a commit or a run has",
        "reset": "Move the branch to another commit, keeping the files or not",
        "undo": "Take back what the last command did",
        "redo": "Do again what the last undo took back",
        "op": "Show what each command did",
        "reflog": "Show where a ref has been, the newest first",
    },
    "Look after it": {
        "config": "Show or change settings",
        "model": "Show models, and fetch the local one",
        "fsck": "Check that everything stored is whole",
        "gc": "Take away what nothing leads to",
        "forget": "Take objects away for good: secrets, runs nobody wants",
        "bundle": "Write runs and commits into one closed file that needs no repository",
        "repack": "Write all objects into one pack, smaller if possible",
    },
    "Plumbing, for scripts": {
        "cat-file": "Print an object by its name (plumbing)",
        "hash-object": "Print the name that a content has as an object (plumbing)",
        "rev-parse": "Print the object names of revs (plumbing)",
        "merge-base": "Print the commit where two lines parted (plumbing)",
        "ls-tree": "List what stands in a tree (plumbing)",
        "ls-files": "List files of the last commit and of the work tree (plumbing)",
        "check-ignore": "Print which paths are ignored (plumbing)",
        "show-ref": "Show refs and the objects that they name (plumbing)",
        "update-ref": "Move refs, if they are what you take them for (plumbing)",
        "for-each-ref": "Print refs in a form of your own (plumbing)",
        "symbolic-ref": "Print or set the ref that HEAD or RUN stands on (plumbing)",
        "count-objects": "Count the objects and the disk they take (plumbing)",
        "rev-list": "Print the names of the commits of a range (plumbing)",
    },
}


def names() -> list[str]:
    """Returns every command's name, in the order of the help."""
    return [name for section in SECTIONS.values() for name in section]
