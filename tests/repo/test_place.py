"""Where a repository may lie: on a disk of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore import fs
from gvstore.repo import Repository
from gvstore.repo.fault import OnNetwork

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
server:/export {home}/far nfs4 rw,vers=4.2 0 0
//server/share {home}/with\\040blank cifs rw 0 0
tmpfs {home}/far/near tmpfs rw 0 0
me@server: {home}/ssh fuse.sshfs rw 0 0
none {home}/sandbox 9p rw,trans=fd,rfdno=4 0 0
C:\\134 {home}/c 9p rw,aname=drvfs;path=C:\\134,trans=fd 0 0
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with mounts of all sorts, as the system tells of them."""
    listed = tmp_path / "mounts"
    listed.write_text(MOUNTS.format(home=tmp_path / "home"))
    monkeypatch.setattr(fs, "MOUNTS", listed)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("", ""), ("far", "nfs4"), ("far/deep/below", "nfs4"), ("far/near/x", ""), ("farther", ""), ("with blank/x", "cifs"),
     ("ssh", "fuse.sshfs"), ("sandbox/x", ""), ("c/x", "9p")],
)  # fmt: skip
def test_the_nearest_mount_counts(home: Path, folder: str, kind: str) -> None:
    """Of several around a folder."""
    assert kind == fs.network_file_system(home / folder)


def test_network_folders_are_refused(home: Path) -> None:
    """To make a repository there, and to open one for writing; the hint tells what to do."""
    with pytest.raises(OnNetwork, match="nfs4") as refused:
        Repository.init(home / "far")
    assert "GV_DIR" in refused.value.hint
    assert not (home / "far" / ".gv").exists()

    with Repository.init(home / "far", gv_dir=home / "local") as repo:
        assert repo.commit("works", allow_empty=True)


def test_settings_allow_them(home: Path) -> None:
    """The user's, or the repository's own."""
    config = home / ".config" / "gv" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[core]\nnetwork = true\n")
    Repository.init(home / "far").close()
    config.unlink()

    with pytest.raises(OnNetwork):
        Repository.open(home / "far")
    assert Repository.open(home / "far", read_only=True).refs.list("") is not None
    (home / "far" / ".gv" / "config.toml").write_text("[core]\nnetwork = true\n")
    Repository.open(home / "far").close()


def test_nobody_tells(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system without /proc nothing is refused."""
    monkeypatch.setattr(fs, "MOUNTS", home / "none")

    assert "" == fs.network_file_system(home / "far")
