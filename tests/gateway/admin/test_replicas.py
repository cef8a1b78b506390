"""Several desks on one database."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.desk import Desk
from gateway.admin.keys import KeyDraft, rotated
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.core.content_policy import ContentPolicy
from gateway.core.errors import Conflict, Unauthenticated
from gateway.state.fact_store import Write
from gateway.state.facts import KeyHash, PolicyFact, RuleSet, Tenant, TenantProject
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER, close, office_of

DESKS = 4
SECRET = "sk-proj-0123456789abcdefghij"
POLICY = ContentPolicy(name="No ivory", phrases=("sell ivory",))
# What can belong to the tenant acme, and how a desk makes it.
MAKE = {
    "projects": lambda desk, id_: desk.projects.create(ADMIN, id_, TenantProject(tenant="acme")),
    "keys": lambda desk, id_: desk.keys.create(ADMIN, KeyDraft(tenant="acme"), id_),
    "provider_keys": lambda desk, id_: desk.provider_keys.create(
        ADMIN, ProviderKeyDraft(provider="openai", tenant="acme", secret=SECRET), id_
    ),
    "content_policies": lambda desk, id_: desk.content_policies.create(
        ADMIN, id_, PolicyFact(policy=POLICY, tenant="acme")
    ),
}


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


@pytest.mark.parametrize("owned", ["projects", "keys", "provider_keys", "content_policies"])
async def test_nothing_is_made_for_a_tenant_that_was_deleted_elsewhere(desks, owned):
    """Also by a replica that has not heard of it yet."""
    await desks[0].tenants.create(ADMIN, "acme", Tenant())
    await desks[1].office.refresh()
    await desks[0].tenants.delete(ADMIN, "acme")
    with pytest.raises(Conflict, match="tenant 'acme' was deleted meanwhile"):
        await MAKE[owned](desks[1], "x")

    assert (await getattr(desks[0], owned).list(VIEWER)).items == []


async def test_a_tenant_is_not_deleted_under_what_is_made_for_it(desks):
    """However they meet, nothing is left without its tenant."""
    for number in range(8):
        await desks[0].tenants.create(ADMIN, "acme", Tenant())
        for desk in desks:
            await desk.office.refresh()
        made = [
            MAKE[owned](desk, f"{owned}-{number}") for owned, desk in zip(MAKE, desks, strict=True)
        ]
        await asyncio.gather(
            desks[number % DESKS].tenants.delete(ADMIN, "acme"), *made, return_exceptions=True
        )
        await desks[0].office.refresh()
        facts = desks[0].office.replica.facts
        kinds = ("project", "key", "provider_key", "content_policy")
        left = [(kind, name) for kind in kinds for name in facts.of(kind)]
        assert "acme" in facts.of("tenant") or not left
        for kind, name in left:
            desks[0].office.fact_store.write([Write(kind, name, None)], actor="a", action="clear")
        await desks[1].office.refresh()
        if "acme" in facts.of("tenant"):
            await desks[1].tenants.delete(ADMIN, "acme")
        await desks[0].office.refresh()


async def test_rules_and_keys_lean_on_their_project(desks):
    """A project that was deleted elsewhere gets neither."""
    await desks[0].projects.create(ADMIN, "site", TenantProject())
    for desk in desks:
        await desk.office.refresh()
    await desks[0].projects.delete(ADMIN, "site")
    with pytest.raises(Conflict, match="project 'site' was deleted meanwhile"):
        await desks[1].keys.create(ADMIN, KeyDraft(project="site"))
    with pytest.raises(Conflict, match="project 'site' was deleted meanwhile"):
        await desks[2].rules.save_draft(ADMIN, "site", RuleSet())


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
