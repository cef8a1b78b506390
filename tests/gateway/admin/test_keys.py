"""Keys of clients at the desk."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.admin.keys import KeyDraft
from gateway.core.errors import Conflict, InvalidRequest, NotFound
from gateway.core.request import RouteAction
from gateway.state.facts import Limits, Tenant, TenantProject
from tests.gateway.admin.offices import OPERATOR, VIEWER


def works(desk, id_, secret):
    """Whether *secret* is that of a key which is neither revoked nor expired."""
    fact = desk.office.replica.facts.of("key")[id_]
    now_s = desk.office.clock.wall()
    found = desk.office.digest(secret)
    hashes = {known.digest: known.expires_s for known in fact.hashes}
    if fact.revoked_s is not None or found not in hashes:
        return False
    return hashes[found] is None or hashes[found] > now_s


async def test_the_secret_is_shown_once(desk):
    """It is in the answer that makes it, and in nothing that is kept or shown later."""
    made = await desk.keys.create(OPERATOR, KeyDraft(name="laptop"))
    shown = await desk.keys.get(VIEWER, made.id)
    listed = await desk.keys.list(VIEWER)
    kept = b"".join(change.payload for change in desk.office.fact_store.since(0))

    assert made.secret.startswith("sy_")
    assert made.value.prefix == made.secret[:10]
    assert works(desk, made.id, made.secret)
    for said in (msgspec.json.encode(shown), msgspec.json.encode(listed), kept):
        assert made.secret.encode() not in said
    assert b"digest" not in msgspec.json.encode(shown)


async def test_every_field_of_a_key_reads_back(desk):
    """What is written is what is read, when it is made and when it is changed."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.projects.create(OPERATOR, "site", TenantProject(tenant="acme"))
    said = KeyDraft(
        tenant="acme",
        project="site",
        name="laptop",
        expires_s=desk.office.clock.wall() + 60,
        allowed_models=("gpt-4o", "auto"),
        allowed_routes=("/v1/chat",),
        action=RouteAction.AUTO,
        mode="eco",
        priority="low",
        limits=Limits(requests_per_minute=5),
    )
    first = await desk.keys.create(OPERATOR, said, "k1")
    plain = await desk.keys.create(OPERATOR, KeyDraft(tenant="acme", project="site"))
    changed = await desk.keys.update(OPERATOR, plain.id, said, plain.version)

    for value in (first.value, changed.value, (await desk.keys.get(VIEWER, "k1")).value):
        for name in said.__struct_fields__:
            assert getattr(value, name) == getattr(said, name) != getattr(KeyDraft(), name)


async def test_rotation_overlaps(desk, clock):
    """The older secret works until the overlap is over, the new one at once."""
    made = await desk.keys.create(OPERATOR, KeyDraft())
    renewed = await desk.keys.rotate(OPERATOR, made.id, 60.0)

    assert works(desk, made.id, made.secret)
    assert works(desk, made.id, renewed.secret)
    assert renewed.value.older_until_s == clock.wall() + 60
    clock.advance(61)
    assert not works(desk, made.id, made.secret)
    assert works(desk, made.id, renewed.secret)


async def test_a_second_rotation_keeps_no_secret_longer(desk, clock):
    """What was to end in a minute ends in a minute, and what has ended is forgotten."""
    made = await desk.keys.create(OPERATOR, KeyDraft())
    await desk.keys.rotate(OPERATOR, made.id, 60.0)
    await desk.keys.rotate(OPERATOR, made.id, 3600.0)
    clock.advance(61)
    assert not works(desk, made.id, made.secret)
    last = await desk.keys.rotate(OPERATOR, made.id)

    assert works(desk, made.id, last.secret)
    assert len(desk.office.replica.facts.of("key")[made.id].hashes) == 1


async def test_revoked_at_once(desk):
    """A revoked key is seen as such here right away, and is no longer rotated."""
    made = await desk.keys.create(OPERATOR, KeyDraft())
    first = await desk.keys.revoke(OPERATOR, made.id)
    again = await desk.keys.revoke(OPERATOR, made.id)

    assert not works(desk, made.id, made.secret)
    assert first.value.revoked_s == again.value.revoked_s
    with pytest.raises(Conflict):
        await desk.keys.rotate(OPERATOR, made.id)


async def test_revoking_beside_changes(desk):
    """However many changes race with it, the key ends up revoked."""
    made = await desk.keys.create(OPERATOR, KeyDraft())
    names = [desk.keys.update(OPERATOR, made.id, KeyDraft(name=f"n{n}")) for n in range(3)]
    await asyncio.gather(desk.keys.revoke(OPERATOR, made.id), *names, return_exceptions=True)

    assert not works(desk, made.id, made.secret)


async def test_only_what_is_dead_is_deleted(desk, clock):
    """A key that works is revoked first; one that has expired needs no more."""
    made = await desk.keys.create(OPERATOR, KeyDraft())
    brief = await desk.keys.create(OPERATOR, KeyDraft(expires_s=clock.wall() + 5))
    with pytest.raises(Conflict, match="revoke it first"):
        await desk.keys.delete(OPERATOR, made.id)
    await desk.keys.revoke(OPERATOR, made.id)
    await desk.keys.delete(OPERATOR, made.id)
    clock.advance(6)
    await desk.keys.delete(OPERATOR, brief.id)

    assert (await desk.keys.list(VIEWER)).items == []


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (KeyDraft(tenant="nobody"), "$.tenant"),
        (KeyDraft(project="nothing"), "$.project"),
        (KeyDraft(project="theirs"), "$.project"),
        (KeyDraft(expires_s=1.0), "$.expires_s"),
        (KeyDraft(mode="turbo"), "$.mode"),
        (KeyDraft(allowed_models=("gpt-4o", "no-such")), "$.allowed_models[1]"),
        (KeyDraft(allowed_routes=("v1/chat",)), "$.allowed_routes[0]"),
    ],
)
async def test_a_key_that_means_nothing(desk, draft, path):
    """Names of nothing, and another tenant's project, are refused with their path."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.projects.create(OPERATOR, "theirs", TenantProject(tenant="acme"))
    with pytest.raises(InvalidRequest) as refused:
        await desk.keys.create(OPERATOR, draft)

    assert refused.value.param == path


@pytest.mark.parametrize("id_", ["in-file", "anonymous"])
async def test_ids_of_the_configuration(desk, id_):
    """Records must not mix up two keys."""
    with pytest.raises(Conflict):
        await desk.keys.create(OPERATOR, KeyDraft(), id_)


async def test_keys_of_one_tenant(desk):
    """A list can be that of one tenant; a key that is not there is said so."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.keys.create(OPERATOR, KeyDraft(tenant="acme"), "theirs")
    await desk.keys.create(OPERATOR, KeyDraft(), "ours")

    assert [e.id for e in (await desk.keys.list(VIEWER, tenant="acme")).items] == ["theirs"]
    with pytest.raises(NotFound):
        await desk.keys.revoke(OPERATOR, "none")
