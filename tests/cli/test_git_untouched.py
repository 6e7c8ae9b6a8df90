"""git is never written: its folder stays as it is, to the byte and the time of change, whatever gv does beside it."""

from __future__ import annotations

import shlex

from tests.conftest import CommandLine
from tests.repo.test_git import begin, fingerprint, git, save

_COMMANDS = """
init -q
status
run prog.py:double 2
commit -m first
run prog.py:double 3
commit --amend -m again
log --git
diff git:HEAD~1
diff git:HEAD~1 git:HEAD --stat
show git:HEAD:prog.py
show git:HEAD::prog.double
run git:HEAD~1::prog.double 2
replay run/1 --code git:HEAD~1
replay --check run/1 --code git:HEAD
bisect --git HEAD~1..HEAD run/1
bisect --git HEAD~1..HEAD run -- grep -q 2 prog.py
checkout git:HEAD~1 -- prog.py
commit -m older
checkout HEAD~1
switch main
restore --source git:HEAD prog.py
reset --hard HEAD
undo
check-ignore -v x.pyc
bundle x.gvb run/1 main
show x.gvb:run/1
fsck
gc --prune now
"""


def test_no_command_writes_git(gv: CommandLine) -> None:
    """After every command git's folder is what it was, and its status knows no `.gv`; no command meets a fault of ours."""
    work = gv.folder
    begin(work)
    gv.write("prog.py", "import gvstore as gv\n\n@gv.register\ndef double(n: int) -> int:\n    return n * 2\n")
    save(work, "one")
    gv.write("prog.py", "import gvstore as gv\n\n@gv.register\ndef double(n: int) -> int:\n    return n + n\n")
    save(work, "two")
    before = fingerprint(work / ".git")
    for line in filter(None, _COMMANDS.splitlines()):
        done = gv.attempt(*shlex.split(line))
        assert done.status in (0, 1, 13), (line, done.err)
        assert before == fingerprint(work / ".git"), line
    assert ".gv/" not in git(work, "status", "--porcelain", "--untracked-files=all")
