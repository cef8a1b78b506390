"""``switchyard activity``."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest

from gateway.record.rows import Batch, record_row
from gateway.record.store import Store
from tests.gateway.cli.desks import Terminal
from tests.gateway.record.records import make_record


@pytest.fixture
def terminal(tmp_path):
    """A terminal before a database with three records of today, and one of last week."""
    terminal = Terminal(tmp_path)
    store, now_s = Store(f"sqlite:///{tmp_path}/switchyard.db"), time.time()
    store.prepare()
    ages_s = (60.0, 120.0, 180.0, 7 * 86_400.0)
    records = [make_record(n, wall_s=now_s - age_s) for n, age_s in enumerate(ages_s)]
    store.write(Batch(records=[record_row(one) for one in records]))
    store.close()
    return terminal


def test_the_newest_are_listed(terminal):
    """As far back as is asked for, and as many; there may be more."""
    found = terminal.json("activity")["items"]
    assert [one["request_id"] for one in found] == ["req_0", "req_1", "req_2"]
    cut = terminal.run("activity", "--hours", "200", "--limit", "2").stdout
    assert ("req_1" in cut, "req_2" in cut, "There are more" in cut) == (True, False, True)
    none = terminal.run("activity", "-w", "status=599", "-w", "failed_over=true").stdout
    assert "No such record in the last 24 hours." in none


def test_all_of_them_as_a_file(terminal):
    """CSV and JSON lines, and nothing else on the standard output."""
    text = terminal.run("activity", "--hours", "200", "--export", "csv").stdout
    assert len(list(csv.DictReader(io.StringIO(text)))) == 4
    lines = terminal.run("activity", "--export", "jsonl", "-w", "request=req_1").stdout
    assert [json.loads(line)["request_id"] for line in lines.splitlines()] == ["req_1"]
