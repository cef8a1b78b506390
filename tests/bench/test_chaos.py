"""Two real gateways over real stores, shaken for a quarter of a minute: nothing lost or doubled."""

from __future__ import annotations

import pytest
from rich.console import Console

from bench.chaos import Plan, shake
from bench.real_servers import NotInstalledError


def test_a_fleet_is_shaken_and_its_books_are_right():
    """A kill, a restart, no Redis and no PostgreSQL for seconds each, under load."""
    plan = Plan(seconds=18, rate_per_s=30, outage_s=2, lapses=False)
    try:
        found = shake(plan, Console(quiet=True))
    except NotInstalledError as error:
        pytest.skip(str(error))

    assert len(found) > 20
    assert [check for check in found if check.holds is False and not check.timed] == []
