"""Facts are written whole, audited, and read by others as changes: on every database alike."""

from __future__ import annotations

import itertools
import threading

import msgspec
import pytest
from sqlalchemy import event

from gateway.core.errors import Conflict, NotFound
from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore, Outrun, Write
from gateway.state.facts import Facts, Tenant, TenantProject
from tests.fakes.clock import ManualClock

NUMBERS = itertools.count()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def engine(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.create(f"facts{next(NUMBERS)}")
    else:
        url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/facts.db"
    opened = open_engine(url)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine):
    """A store on that database."""
    return FactStore(engine, ManualClock())


def put(store, name, tenant, expected=None):
    """Write one tenant."""
    return store.write(
        [Write("tenant", name, tenant, expected)], actor="ann", action="tenant.update"
    )


def test_what_is_written_is_read_by_a_replica(store):
    """A replica that asks for changes ends with the same facts, and with later ones alone."""
    first = put(store, "a", Tenant(name="A"))
    facts = Facts().after(store.since(0))
    put(store, "b", Tenant(name="B", credits=True))
    later = store.since(first)

    assert [change.id for change in later] == ["b"]
    assert facts.after(later).of("tenant") == {"a": Tenant(name="A"), "b": later_tenant(later)}
    assert store.version() == facts.after(later).version


def test_a_note_is_taken_while_others_write(tmp_path):
    """Nothing that it reads can be written by somebody else before it writes itself."""
    first, second = (open_engine(f"sqlite:///{tmp_path}/facts.db") for _ in range(2))
    store, other = (FactStore(engine, ManualClock()) for engine in (first, second))
    put(other, "a", Tenant())
    store.prepare()

    @event.listens_for(first, "after_cursor_execute")
    def write_between(_connection, _cursor, statement, *_):
        if statement.startswith("SELECT"):
            put(other, "b", Tenant())

    store.note(actor="ann", action="backup", kind="database", id_="all", detail={"size": 7})
    event.remove(first, "after_cursor_execute", write_between)

    line = store.history("database")[0]
    assert (line.version, line.action, bytes(line.after)) == (1, "backup", b'{"size":7}')
    first.dispose()
    second.dispose()


def later_tenant(changes):
    """The tenant of the only change."""
    return msgspec.json.decode(changes[0].payload, type=Tenant)


def test_a_deleted_fact_is_heard_of(store):
    """Replicas learn that a fact has gone."""
    put(store, "a", Tenant())
    facts = Facts().after(store.since(0))
    put(store, "a", None)

    assert facts.after(store.since(facts.version)).of("tenant") == {}
    assert store.find("tenant", "a") is None


def test_two_writers_do_not_overwrite_each_other(store):
    """Who has seen an older version is refused; so is making what exists."""
    version = put(store, "a", Tenant(name="1"), expected=0)
    put(store, "a", Tenant(name="2"), expected=version)

    with pytest.raises(Conflict, match="somebody else has changed it"):
        put(store, "a", Tenant(name="3"), expected=version)
    with pytest.raises(Conflict, match="exists already"):
        put(store, "a", Tenant(name="4"), expected=0)
    with pytest.raises(NotFound):
        put(store, "b", None)
    assert later_tenant(store.since(0)).name == "2"


def test_a_refused_write_leaves_nothing(store):
    """Several facts are written together or not at all, and the version does not move."""
    put(store, "a", Tenant())
    version = store.version()
    writes = [Write("tenant", "b", Tenant()), Write("tenant", "a", Tenant(), expected=0)]
    with pytest.raises(Conflict):
        store.write(writes, actor="ann", action="tenant.create")

    assert (store.version(), store.find("tenant", "b")) == (version, None)
    assert len(store.history()) == 1


def test_the_audit_log_has_every_write(store):
    """Who, what, when, before and after: newest first, by fact, page by page."""
    put(store, "a", Tenant(name="1"))
    put(store, "a", Tenant(name="2"))
    store.note(actor="bob", action="login", kind="session", id_="1")
    newest, login = store.history("tenant", "a"), store.history()[0]

    assert [msgspec.json.decode(entry.after)["name"] for entry in newest] == ["2", "1"]
    assert msgspec.json.decode(newest[0].before)["name"] == "1"
    assert (newest[1].before, newest[0].actor) == (None, "ann")
    assert (login.actor, login.action, login.version) == ("bob", "login", 2)
    assert store.history(before_seq=newest[0].seq, limit=1) == [newest[1]]


def test_many_writers_at_once_miss_no_version(store, engine):
    """Versions have no gaps and no doubles, so a reader that follows them overlooks nothing."""

    def work(name):
        for number in range(10):
            put(store, f"{name}{number}", Tenant())

    store.prepare()
    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(change.version for change in store.since(0)) == list(range(1, 31))


def test_what_leans_on_something_deleted_is_not_written(store):
    """Nothing of the transaction is, and the message names what is gone."""
    put(store, "a", Tenant())
    needs = [("tenant", "a")]
    write = Write("project", "site", TenantProject(tenant="a"))
    version = store.write([write], actor="ann", action="create", leans_on=needs)
    put(store, "a", None)
    with pytest.raises(Conflict, match="tenant 'a' was deleted meanwhile"):
        store.write([Write("project", "b", write.value)], actor="b", action="c", leans_on=needs)

    assert store.find("project", "b") is None
    assert store.version() == version + 1


def test_who_made_up_its_mind_on_older_facts_is_told(store):
    """Whatever was written since, also elsewhere."""
    seen = put(store, "a", Tenant())
    put(store, "b", Tenant())
    with pytest.raises(Outrun):
        store.write([Write("tenant", "a", None)], actor="ann", action="delete", seen=seen)
    store.write([Write("tenant", "a", None)], actor="ann", action="delete", seen=seen + 1)

    assert store.find("tenant", "a") is None
