"""Several desks on one database."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.desk import Desk
from gateway.admin.keys import KeyDraft, rotated
from gateway.core.errors import Conflict, Unauthenticated
from gateway.state.facts import KeyHash, Tenant
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER, close, office_of

DESKS = 4


@pytest.fixture(params=["sqlite", "postgres"])
def desks(request, tmp_path):
    """Desks of as many replicas."""
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = server.create(f"desks_{abs(hash(request.node.name))}")
    offices = [office_of(tmp_path, url=url) for _ in range(DESKS)]
    yield [Desk(office) for office in offices]
    for office in offices:
        close(office)


async def test_one_of_many_wins(desks):
    """Of those who make the same thing at once one does, and the others are told."""
    await desks[0].tenants.create(ADMIN, "first", Tenant())  # the schema is made by one
    made = [desk.tenants.create(ADMIN, "acme", Tenant(name=str(n))) for n, desk in enumerate(desks)]
    found = await asyncio.gather(*made, return_exceptions=True)

    assert sum(isinstance(one, Conflict) for one in found) == DESKS - 1
    won = next(one for one in found if not isinstance(one, Conflict))
    assert (await desks[-1].tenants.get(VIEWER, "acme")) == won


async def test_no_change_is_lost(desks):
    """Each of many changes of one version conflicts with the one that was first."""
    item = await desks[0].tenants.create(ADMIN, "acme", Tenant())
    changes = [
        desk.tenants.update(ADMIN, "acme", Tenant(name=str(n)), item.version)
        for n, desk in enumerate(desks)
    ]
    found = await asyncio.gather(*changes, return_exceptions=True)

    assert sum(isinstance(one, Conflict) for one in found) == DESKS - 1


async def test_what_one_does_all_see(desks):
    """A key that one replica makes or revokes is known to another as soon as it looks."""
    made = await desks[0].keys.create(OPERATOR, KeyDraft(), "k")
    for desk in desks:
        await desk.office.refresh()
        assert (await desk.keys.list(VIEWER)).items[0].value == made.value
    await desks[1].keys.revoke(OPERATOR, "k")
    await desks[2].office.refresh()

    assert (await desks[2].keys.list(VIEWER)).items[0].value.revoked_s is not None


async def test_a_stranger_everywhere(desks):
    """A key of one database opens no desk before the facts are read."""
    await desks[0].office.refresh()
    with pytest.raises(Unauthenticated):
        desks[0].office.access.operator("sya_unknown", "a")


@given(steps=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000)), min_size=1, max_size=8))
def test_no_secret_outlives_its_overlap(steps):
    """However often a key is rotated, the newest secret works and none longer than granted."""
    clock = ManualClock()
    hashes, ends = (KeyHash(digest="0"),), {"0": float("inf")}
    for number, (pause_s, overlap_s) in enumerate(steps, start=1):
        clock.advance(pause_s)
        now_s = clock.wall()
        hashes = rotated(hashes, str(number), now_s, overlap_s)
        ends = {name: min(end, now_s + overlap_s) for name, end in ends.items()}
        ends[str(number)] = float("inf")
        for known in hashes:
            assert (known.expires_s or float("inf")) == ends[known.digest]
        assert hashes[-1] == KeyHash(digest=str(number))
