from __future__ import annotations

from pathlib import Path

import pytest

from gvstore import host
from gvstore.errors import UsageFault


def test_the_clock_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """GV_NOW, RFC 3339 or microseconds, is the time, and durations are 0."""
    times = []
    for text in ("2026-11-20T10:02:11Z", "2026-11-20T11:02:11+01:00", "2026-11-20 10:02:11", "1795168931000000"):
        monkeypatch.setenv("GV_NOW", text)
        times.append(host.now_us())

    assert [1795168931000000] * 4 == times
    assert host.frozen() and 0 == host.ticks_ns()
    monkeypatch.setenv("GV_NOW", "soon")
    with pytest.raises(UsageFault):
        host.now_us()
    monkeypatch.delenv("GV_NOW")
    assert not host.frozen() and host.now_us() > times[0] / 2


def test_author_is_found_somewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GV_AUTHOR, else what is configured, else git's user, the repository's first, else user@host."""
    home, work = tmp_path / "home", tmp_path / "work" / "deep"
    work.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GV_AUTHOR")
    monkeypatch.setenv("LOGNAME", "ada")

    assert host.author(folder=work) == f"ada@{host.hostname()}"
    (home / ".gitconfig").write_text('[core]\n\tx = 1\n[user]\n\tname = "Ada L." ; me\n\temail = ada@home\n')
    assert "Ada L. <ada@home>" == host.author(folder=work)
    (work.parent / ".git").mkdir()
    (work.parent / ".git" / "config").write_text("[user]\nemail = ada@work\nemail = ada@later\n")
    assert "Ada L. <ada@later>" == host.author(folder=work)
    assert "configured" == host.author("configured", folder=work)
    monkeypatch.setenv("GV_AUTHOR", "Bob\n <bob@x>\x1b[31m")
    assert "Bob <bob@x> [31m" == host.author("configured", folder=work)


def test_folders_follow_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG folders are used where they are absolute."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert (tmp_path / ".config/gv", tmp_path / ".cache/gv") == (host.config_dir(), host.cache_dir())
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/y")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert (tmp_path / ".config/gv", Path("/x/y/gv")) == (host.config_dir(), host.cache_dir())
