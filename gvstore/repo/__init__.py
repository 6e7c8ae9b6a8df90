"""The REPOSITORY: work tree, commits, history, revs, settings."""

from gvstore.refs import RunRow
from gvstore.repo.repository import Repository

__all__ = ["Repository", "RunRow"]
