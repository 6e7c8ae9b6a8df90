"""A merge that was taken back, and is had back."""

from __future__ import annotations

from tests.conftest import CommandLine


def test_an_aborted_merge_is_under_way_again(gv: CommandLine) -> None:
    """Undoing `gv merge --abort` brings the files as they were edited and the merge with them: the next commit has both parents."""
    gv("init")
    gv.write("f", "1\n2\n3\n")
    gv("commit", "-m", "one")
    gv("switch", "-c", "side")
    gv.write("f", "1\nside\n3\n")
    gv.write("n", "new\n")
    gv("commit", "-m", "side")
    gv("switch", "main")
    gv.write("f", "1\nmain\n3\n")
    gv("commit", "-m", "main")
    gv("merge", "side", status=1)
    gv.write("f", "1\nboth\n3\n")
    gv("merge", "--abort")

    assert "no changes" in gv("status").out
    gv("undo")
    assert "merging side" in gv("status").out and "1\nboth\n3\n" == (gv.folder / "f").read_text()
    assert "the merge of side is not finished" in gv("undo", status=11).err
    gv("redo")
    assert "no changes" in gv("status").out
    gv("undo")
    gv("merge", "--continue")
    assert 2 == len(gv("log", "-1", "--json").json["parents"])
    gv("fsck", "--full")


def test_an_empty_message_amends_nothing(gv: CommandLine) -> None:
    """`--amend -m ""` is refused, as `-m ""` is."""
    gv("init")
    gv.write("f", "1\n")
    gv("commit", "-m", "one")
    head = gv("rev-parse", "HEAD").out
    gv.write("f", "2\n")

    assert "the message is empty" in gv("commit", "--amend", "-m", "", status=2).err
    assert head == gv("rev-parse", "HEAD").out
