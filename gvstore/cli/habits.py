"""What people type by habit, and what to type instead.

Words of git, jj and Mercurial that gv has not: each with a sentence why, and
the commands that do what was meant.  `docs/git.md` tells the same at length;
tests/test_git_table.py asks that every everyday word of git is a command or
stands here, and that a hint names no command that is not there.

Imported only when a word was typed that is no command.
"""

from __future__ import annotations

_NO_REMOTES = "other repositories are not there yet"
_COPY = "Copy the folder with its .gv, which is a whole repository; or carry commits in a file: `gv bundle FILE main`."
_TAKE = "Run `gv bundle FILE main` there and `gv bundle --unpack FILE` here."
_HAND = "Run `gv bundle FILE main` here and `gv bundle --unpack FILE` there."
_NO_MAIL = "commits do not travel by mail"
_NO_INDEX = "there is no staging area"
_IN_PLACE = "conflicts stand in the files, between markers"
_EDIT = "`gv status` lists the files: edit them, then `gv commit`."
_STAYS = "what was committed is not rewritten"
_FORGET = "Run `gv forget REV` to take away a secret, for good; `gv bundle FILE REV` to hand out a part."
_UNSIGNED = "commits and tags are not signed"
_CHECK = "Run `gv fsck`: every object is checked against its name."
_ONE_FILE = "refs lie in one file and need no packing"
_BESIDE = "gv never writes into git's repositories"
_KEEP = "Keep git beside it, in the same folder: git sees nothing of .gv."
_COMMITS_ALL = "Run `gv commit -m MESSAGE`: it takes the work tree as it is."
_GONE = "The commit stays in `gv reflog`, and `gv undo` brings it back."

HABITS: dict[str, tuple[str, str]] = {
    # git's everyday words
    "add": (
        "there is no staging area: a commit takes the whole work tree",
        "Run `gv commit -m MESSAGE` for everything, or `gv commit -m MESSAGE PATH...` for a part.",
    ),
    "stage": (
        "there is no staging area: a commit takes the whole work tree",
        "Run `gv commit -m MESSAGE` for everything, or `gv commit -m MESSAGE PATH...` for a part.",
    ),
    "stash": (
        "there is no stash: work is put aside on a branch",
        "Run `gv switch -c wip` and `gv commit -m wip`, then `gv switch -` to go back.",
    ),
    "mv": (f"{_NO_INDEX}: moves are found", "Move the file, then `gv commit`."),
    "clean": (
        "what no commit has is not deleted in bulk",
        "`gv ls-files --others` lists such files: delete those that you do not want.",
    ),
    "clone": (_NO_REMOTES, _COPY),
    "fetch": (_NO_REMOTES, _TAKE),
    "pull": (_NO_REMOTES, _TAKE),
    "push": (_NO_REMOTES, _HAND),
    "remote": (_NO_REMOTES, _COPY),
    "ls-remote": (_NO_REMOTES, _COPY),
    "worktree": (
        "a repository has one work tree",
        "`gv replay --code REV` runs other code in a private copy; or copy the folder with its .gv.",
    ),
    "submodule": ("a repository holds no other", "Commit the files themselves, or name the folder in .gvignore."),
    "subtree": ("a repository holds no other", "Commit the files themselves, or name the folder in .gvignore."),
    "lfs": (
        "large files need nothing beside gv: only the parts that changed are stored",
        "Run `gv commit --allow-large` for files of more than commit.large bytes.",
    ),
    "archive": (
        "there are no archives yet",
        "Run `gv get REV:FILE -o FILE` for a file, or `gv bundle FILE REV` for a commit with its history.",
    ),
    "describe": (
        "commits have no name made of the nearest tag",
        "Run `gv log --oneline -n 1`, or `gv rev-parse --short HEAD` in scripts.",
    ),
    "shortlog": ("commits are not grouped by author", "Run `gv log --oneline --author NAME`."),
    "notes": ("notes are for runs", "Run `gv note run/7 TEXT`; `gv tag -m TEXT NAME REV` says something of a commit."),
    "whatchanged": ("log does this", "Run `gv log --stat`, or `gv log -p`."),
    "annotate": ("blame does this", "Run `gv blame FILE`."),
    "citool": (_NO_INDEX, _COMMITS_ALL),
    "gui": ("there are no windows", "Run `gv status`, `gv diff` and `gv log --graph --oneline`."),
    "gitk": ("there are no windows", "Run `gv log --graph --oneline --all`."),
    "instaweb": ("there are no windows", "Run `gv log --graph --oneline --all`."),
    "sparse-checkout": ("the work tree is always whole", "Run `gv checkout REV -- FOLDER` for a folder alone."),
    "range-diff": (
        "two versions of a line are compared by what they come to",
        "Run `gv diff A B`, or `gv log -p A...B`.",
    ),
    "difftool": ("there are no tools beside it", "Run `gv diff --word-diff`, or `gv get REV:FILE -o OLD`."),
    "mergetool": (_IN_PLACE, _EDIT),
    "rerere": (_IN_PLACE, _EDIT),
    "am": (_NO_MAIL, _TAKE),
    "format-patch": (_NO_MAIL, "Run `gv diff A B > FILE` for a patch, or `gv bundle FILE A..B`."),
    "send-email": (_NO_MAIL, "Run `gv diff A B > FILE` for a patch, or `gv bundle FILE REV`."),
    "request-pull": (_NO_MAIL, "Run `gv log A..B` and `gv diff --stat A B`."),
    "apply": ("patches are left to patch", "Run `patch -p1 < FILE`: `gv diff` prints what it takes."),
    # git's rarer words
    "filter-branch": (_STAYS, _FORGET),
    "filter-repo": (_STAYS, _FORGET),
    "fast-export": (_BESIDE, _KEEP),
    "fast-import": ("git's history is not taken over", _KEEP),
    "svn": (_BESIDE, _KEEP),
    "p4": (_BESIDE, _KEEP),
    "replace": (_STAYS, _FORGET),
    "prune": ("gc does this", "Run `gv gc`, or `gv gc --prune=now`."),
    "maintenance": ("gc and repack do this", "Run `gv gc`, `gv repack` or `gv fsck`."),
    "pack-refs": (_ONE_FILE, "Run `gv repack` for the objects."),
    "pack-objects": ("repack does this", "Run `gv repack`, or `gv bundle FILE REV`."),
    "verify-pack": ("fsck does this", _CHECK),
    "verify-commit": (_UNSIGNED, _CHECK),
    "verify-tag": (_UNSIGNED, _CHECK),
    "bugreport": ("there is nothing to fill in", "Tell what you typed and what came, with `gv --version`."),
    "diagnose": ("there is nothing to fill in", "Run `gv fsck`, and tell what it says with `gv --version`."),
    "show-branch": ("log does this", "Run `gv log --graph --oneline --branches`."),
    "version": ("it is an option", "Run `gv --version`."),
    "diff-tree": ("diff does this", "Run `gv diff --name-status A B`."),
    "diff-index": (_NO_INDEX, "Run `gv diff --name-status`, or `gv status --json`."),
    "diff-files": (_NO_INDEX, "Run `gv diff --name-status`, or `gv status --json`."),
    "write-tree": (_NO_INDEX, _COMMITS_ALL),
    "commit-tree": (_NO_INDEX, _COMMITS_ALL),
    "read-tree": (_NO_INDEX, "Run `gv restore --source REV .` for the files of a commit."),
    "update-index": (_NO_INDEX, _COMMITS_ALL),
    "checkout-index": (_NO_INDEX, "Run `gv restore PATH`."),
    "merge-tree": ("merge does this", "Run `gv merge --no-commit REV`; `gv merge --abort` takes it back."),
    "merge-file": ("merge does this, of whole commits", "Run `gv merge REV`."),
    "name-rev": ("log does this", "Run `gv log --oneline -n 1 REV`: the names stand beside it."),
    "mktag": ("tag does this", "Run `gv tag -m TEXT NAME REV`."),
    "mktree": (_NO_INDEX, _COMMITS_ALL),
    "var": ("config does this", "Run `gv config user.name`."),
    # what jj, Mercurial and hope call it
    "amend": ("it is an option", "Run `gv commit --amend`."),
    "uncommit": ("undo and reset do this", "Run `gv undo` right after the commit, or `gv reset HEAD~1`."),
    "unstage": (_NO_INDEX, "Run `gv commit -m MESSAGE PATH...` for a part of the work tree."),
    "squash": ("merge and reset do this", "Run `gv merge --squash REV`, or `gv reset REV` and `gv commit`."),
    "fixup": ("it is an option", "Run `gv commit --amend`."),
    "drop": ("reset and revert do this", f"Run `gv reset HEAD~1`, or `gv revert REV`. {_GONE}"),
    "abandon": ("reset and revert do this", f"Run `gv reset HEAD~1`, or `gv revert REV`. {_GONE}"),
    "backout": ("revert does this", "Run `gv revert REV`."),
    "discard": ("restore does this", "Run `gv restore PATH`."),
    "update": ("switch does this", "Run `gv switch BRANCH`, or `gv checkout REV`."),
    "new": ("commits are made of what is there", "Edit the files, then `gv commit -m MESSAGE`."),
    "bookmark": ("branch does this", "Run `gv branch`."),
    "history": ("log does this", "Run `gv log`."),
    "save": ("commit does this", "Run `gv commit -m MESSAGE`."),
    "ignore": ("files are named in .gvignore", "Write the file's name into .gvignore: the rules are git's."),
    "exec": ("run does this", "Run `gv run FILE.py:FUNCTION`."),
}

_ONE_STATE = "there is no staging area: the work tree is compared with the last commit"
_NO_PICKING = "a file is taken whole"
_PICK = "Name the files: `gv commit -m MESSAGE PATH...`."
_BY_MERGE = "Run `gv merge REV`, or pick commits onto another branch: `gv switch -c NAME REV`, `gv cherry-pick A..B`."

# Options that git's words have and ours not, by command.
OPTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "branch": {
        "-r": (_NO_REMOTES, "Run `gv branch`."),
        "-u": (_NO_REMOTES, "Run `gv branch`."),
        "--set-upstream-to": (_NO_REMOTES, "Run `gv branch`."),
        "-c": ("a branch is copied by making one", "Run `gv branch NEW OLD`."),
        "--copy": ("a branch is copied by making one", "Run `gv branch NEW OLD`."),
        "-M": ("a name that is taken is not overwritten", "Run `gv branch -D NAME` first."),
    },
    "bundle": {
        "-o": ("FILE stands first", "Run `gv bundle FILE REV...`."),
    },
    "checkout": {
        "-p": (_NO_PICKING, "Run `gv diff REV -- PATH`, and `gv restore --source REV PATH`."),
        "--ours": (_IN_PLACE, "Run `gv restore PATH` for your side, or `gv merge -X ours REV`."),
        "--theirs": (_IN_PLACE, "Run `gv restore --source REV PATH` for the other side, or `gv merge -X theirs REV`."),
        "-t": (_NO_REMOTES, "Run `gv switch -c NAME`."),
        "--track": (_NO_REMOTES, "Run `gv switch -c NAME`."),
        "--orphan": ("a line without a past is begun in a repository of its own", "Run `gv init FOLDER`."),
    },
    "commit": {
        "-p": (_NO_PICKING, _PICK),
        "--patch": (_NO_PICKING, _PICK),
        "-i": (_NO_INDEX, _PICK),
        "-o": (_NO_INDEX, _PICK),
        "-s": (_UNSIGNED, "Write the line into the message: `gv commit -m MESSAGE -m 'Signed-off-by: NAME'`."),
        "--signoff": (_UNSIGNED, "Write the line into the message: `gv commit -m MESSAGE -m 'Signed-off-by: NAME'`."),
        "-S": (_UNSIGNED, _CHECK),
        "--fixup": (
            "commits are not reordered",
            "Run `gv commit --amend` for the last commit, or `gv commit -m fixup`.",
        ),
        "--squash": ("commits are not reordered", "Run `gv reset REV` and `gv commit` to make one of several."),
        "--date": ("the time is that of the commit", "Run `gv commit -m MESSAGE`."),
    },
    "diff": {
        "--staged": (_ONE_STATE, "Run `gv diff`."),
        "--cached": (_ONE_STATE, "Run `gv diff`."),
        "--no-index": ("files of no repository are left to diff", "Run `diff -u A B`."),
    },
    "merge": {
        "-s": ("there is one way to merge", "Run `gv merge REV`, or `gv merge -X ours REV` to decide conflicts."),
        "--strategy": (
            "there is one way to merge",
            "Run `gv merge REV`, or `gv merge -X ours REV` to decide conflicts.",
        ),
        "--quit": ("a merge ends in a commit, or is taken back", "Run `gv merge --continue` or `gv merge --abort`."),
    },
    "rebase": {
        "-i": (
            _STAYS,
            "Run `gv reset REV` and `gv commit` to make one commit of several, `gv commit --amend` for the last.",
        ),
        "--interactive": (
            _STAYS,
            "Run `gv reset REV` and `gv commit` to make one commit of several, `gv commit --amend` for the last.",
        ),
        "--continue": ("rebase replays runs; lines of commits are joined", _BY_MERGE),
        "--abort": ("rebase replays runs; lines of commits are joined", _BY_MERGE),
    },
    "reset": {
        "--merge": ("unsaved edits are kept by checkout", "Run `gv checkout -B BRANCH REV`."),
        "--keep": ("unsaved edits are kept by checkout", "Run `gv checkout -B BRANCH REV`."),
        "-p": (_NO_PICKING, "Run `gv restore PATH`."),
    },
    "restore": {
        "-p": (_NO_PICKING, "Run `gv diff PATH`, and `gv restore PATH`."),
        "--ours": (_IN_PLACE, "Run `gv restore PATH` for your side."),
        "--theirs": (_IN_PLACE, "Run `gv restore --source REV PATH` for the other side."),
    },
    "rm": {
        "--cached": (_NO_INDEX, "Write the file's name into .gvignore: the next commit leaves it out."),
        "-r": ("rm is for runs", "Delete the folder, then `gv commit`."),
        "-f": ("rm is for runs", "Delete the file, then `gv commit`."),
    },
    "switch": {
        "-t": (_NO_REMOTES, "Run `gv switch -c NAME`."),
        "--track": (_NO_REMOTES, "Run `gv switch -c NAME`."),
        "--orphan": ("a line without a past is begun in a repository of its own", "Run `gv init FOLDER`."),
    },
    "tag": {
        "-s": (_UNSIGNED, "Run `gv tag -a -m TEXT NAME`."),
        "-v": (_UNSIGNED, _CHECK),
    },
}
