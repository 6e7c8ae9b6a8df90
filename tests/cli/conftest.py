"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.models.pull import pull


@pytest.fixture(scope="session")
def weights() -> Path:
    """The local model's weights, in the cache of whoever runs the tests: fetched once, not once a test."""
    return pull()
