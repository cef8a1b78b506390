"""A replica knows its facts without asking, and goes on with them while nobody answers."""

from __future__ import annotations

import math
import sqlite3

import pytest

from gateway.core.errors import Unavailable
from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore, Write
from gateway.state.facts import Tenant
from gateway.state.replica import COPY_S, FactReplica
from tests.fakes.clock import ManualClock


@pytest.fixture
def clock():
    """A clock."""
    return ManualClock()


@pytest.fixture
def store(tmp_path, clock):
    """A database on disk."""
    engine = open_engine(f"sqlite:///{tmp_path}/facts.db")
    yield FactStore(engine, clock)
    engine.dispose()


def replica_of(store, clock, folder, seen=None):
    """A replica that tells *seen* of every change."""
    changed = (lambda facts: None) if seen is None else lambda facts: seen.append(facts.version)
    return FactReplica(store, clock, folder=folder, poll_s=0.01, changed=changed)


def put(store, name):
    """Write a tenant."""
    store.write([Write("tenant", name, Tenant())], actor="test", action="put")


def break_off(store, monkeypatch):
    """From now on the database does not answer."""

    def refuse(*_):
        raise Unavailable("down")

    monkeypatch.setattr(store, "version", refuse)


async def test_a_replica_reads_all_then_only_what_changed(store, clock, tmp_path):
    """And tells of it, once for each change."""
    seen = []
    put(store, "a")
    replica = replica_of(store, clock, tmp_path, seen)
    await replica.start()
    put(store, "b")
    await replica.refresh()
    await replica.refresh()

    assert (sorted(replica.facts.of("tenant")), seen) == (["a", "b"], [1, 2])
    assert replica.stale_s == 0.0


async def test_a_database_that_was_set_back_is_read_again(store, clock, tmp_path):
    """What its backup did not know is gone, and what comes after is seen."""
    put(store, "a")
    put(store, "b")
    replica = replica_of(store, clock, tmp_path)
    await replica.start()
    with sqlite3.connect(tmp_path / "facts.db") as database:
        database.execute("DELETE FROM facts WHERE version > 1")
        database.execute("UPDATE fact_version SET version = 1")
    database.close()
    await replica.refresh()
    assert list(replica.facts.of("tenant")) == ["a"]
    put(store, "c")
    await replica.refresh()
    assert list(replica.facts.of("tenant")) == ["a", "c"]


async def test_without_a_database_the_facts_hold_and_age(store, clock, tmp_path, monkeypatch):
    """How old they are is known."""
    put(store, "a")
    replica = replica_of(store, clock, tmp_path)
    await replica.start()
    break_off(store, monkeypatch)
    clock.advance(30.0)
    with pytest.raises(Unavailable):
        await replica.refresh()

    assert (list(replica.facts.of("tenant")), replica.stale_s) == (["a"], 30.0)


async def test_a_start_without_a_database_finds_the_copy(store, clock, tmp_path, monkeypatch):
    """With the age that the copy has; without one, nothing is known."""
    put(store, "a")
    await replica_of(store, clock, tmp_path).start()
    break_off(store, monkeypatch)
    clock.advance(60.0)
    replica = replica_of(store, clock, tmp_path)
    await replica.start()
    empty = replica_of(store, clock, tmp_path / "nowhere")
    await empty.start()

    assert (list(replica.facts.of("tenant")), replica.stale_s) == (["a"], 60.0)
    assert (empty.facts.of("tenant"), empty.stale_s) == ({}, math.inf)
    assert ((tmp_path / "facts.json").stat().st_mode & 0o077) == 0


async def test_the_copy_has_the_last_of_many_changes(store, clock, tmp_path, monkeypatch):
    """It is not written for each of them, and soon after the last."""
    replica = replica_of(store, clock, tmp_path)
    await replica.start()
    for name in ("a", "b", "c"):
        put(store, name)
        await replica.refresh()
    clock.advance(COPY_S)
    await replica.refresh()
    break_off(store, monkeypatch)
    later = replica_of(store, clock, tmp_path)
    await later.start()

    assert sorted(later.facts.of("tenant")) == ["a", "b", "c"]


async def test_the_copy_says_how_long_it_was_fresh(store, clock, tmp_path, monkeypatch):
    """Facts that nobody changes are not old; keys of a replica that starts anew hang on that."""
    put(store, "a")
    replica = replica_of(store, clock, tmp_path)
    await replica.start()
    clock.advance(86_400.0)
    await replica.refresh()
    break_off(store, monkeypatch)
    clock.advance(5.0)
    later = replica_of(store, clock, tmp_path)
    await later.start()

    assert (list(later.facts.of("tenant")), later.stale_s) == (["a"], 5.0)


async def test_a_fact_that_cannot_be_read_keeps_no_other_back(store, clock, tmp_path, caplog):
    """A newer version of ours may have written it."""
    put(store, "a")
    put(store, "b")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE facts SET payload = '[1]' WHERE id = 'a'")
    replica = replica_of(store, clock, tmp_path)
    await replica.start()

    assert list(replica.facts.of("tenant")) == ["b"]
    assert "tenant a cannot be read" in caplog.text
