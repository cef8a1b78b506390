"""Fixtures of the desk's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.admin.desk import Desk
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import close, office_of


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the desk."""
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    """A desk with a database of its own."""
    office = office_of(tmp_path, clock)
    yield Desk(office)
    close(office)
