from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.repo.config import KNOWN, Config
from gvstore.repo.fault import BadConfig


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(user=tmp_path / "user" / "config.toml", repo=tmp_path / "config.toml")


def test_repository_wins_over_user_over_default(config: Config) -> None:
    """A key is looked for in the repository, then with the user, then among the defaults."""
    values = [config.get("color.ui")]
    config.set("color.ui", "never", scope="user")
    values.append(config.get("color.ui"))
    config.set("color.ui", "always")
    values.append(config.get("color.ui"))

    assert ["auto", "never", "always"] == values
    assert "repo" == config.setting("color.ui").origin
    assert config.unset("color.ui") and not config.unset("color.ui")
    assert "never" == config.get("color.ui")


def test_text_is_read_as_the_type_asks(config: Config) -> None:
    """What a user types becomes the key's type; what does not fit is refused."""

    assert 1_000_000 == config.set("commit.large", "1_000_000") == config.number("commit.large")
    assert config.set("commit.secrets", "no") is False
    for key, text in [("commit.large", "many"), ("commit.secrets", "perhaps"), ("color.ui", "blue")]:
        with pytest.raises(BadConfig):
            config.set(key, text)


@pytest.mark.parametrize(
    ("typed", "meant"), [("user.nam", "user.name"), ("usr.email", "user.email"), ("commit.larg", "commit.large")]
)
def test_near_names(config: Config, typed: str, meant: str) -> None:
    """An unknown key is refused, with the names like it."""
    with pytest.raises(BadConfig) as caught:
        config.get(typed)

    assert meant in caught.value.hint and 2 == caught.value.exit_code
    with pytest.raises(BadConfig):
        config.set(typed, "x")


def test_the_file_keeps_its_comments(config: Config, tmp_path: Path) -> None:
    """Writing a key leaves the rest of the file as it was."""
    path = tmp_path / "config.toml"
    path.write_text('# mine\n[user]\nname = "Ada"  # me\n\n[other]\nx = 1\n')
    config.set("user.email", "ada@example.org")

    assert '# mine\n[user]\nname = "Ada"  # me\nemail = "ada@example.org"\n' in path.read_text()
    assert "[other]\nx = 1" in path.read_text()
    assert "Ada <ada@example.org>" == config.author()


@pytest.mark.parametrize("text", ["[user", "a = ", "\xff"])
def test_broken_file(config: Config, tmp_path: Path, text: str) -> None:
    """A file that is no TOML is told by its name; nothing overwrites it."""
    (tmp_path / "config.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadConfig, match=r"config\.toml"):
        config.get("user.name")
    with pytest.raises(BadConfig, match=r"config\.toml"):
        config.set("user.name", "x")

    assert text.encode("latin-1") == (tmp_path / "config.toml").read_bytes()


def test_wrong_type_in_the_file(config: Config, tmp_path: Path) -> None:
    """A value of the wrong type is told when it is asked for, not before."""
    (tmp_path / "config.toml").write_text("[user]\nname = 7\n[commit]\nlarge = 5\n")

    assert 5 == config.number("commit.large")
    with pytest.raises(BadConfig, match=r"user\.name is text"):
        config.get("user.name")


def test_items_are_all_known_keys_and_aliases(config: Config) -> None:
    """The list has every known key, and what the user named."""
    config.set("alias.st", "status")

    assert sorted([*KNOWN, "alias.st"]) == [setting.key for setting in config.items()]
