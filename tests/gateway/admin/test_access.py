"""Who operates, and what their role lets them do."""

from __future__ import annotations

import asyncio
import inspect
import logging

import msgspec
import pytest

from gateway.admin.access import ADDRESSES_MAX, FIRST, Access, Throttled, Tries, ensure_admin_key
from gateway.admin.admin_keys import AdminKeyDraft
from gateway.admin.desk import Desk
from gateway.admin.roles import RANKS, Operator
from gateway.config.secrets import Secret
from gateway.core.errors import Conflict, Forbidden, InvalidRequest, Unauthenticated, Unavailable
from gateway.state.fact_store import Write
from gateway.state.facts import AdminKey
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER, close, office_of

STATED = Secret("a-key-of-the-configuration")
ADMINS_ONLY = {
    *(f"admin_keys.{verb}" for verb in ("create", "update", "rotate", "revoke", "delete")),
    *(f"provider_keys.{verb}" for verb in ("create", "update", "delete")),
    "tenants.top_up",
}
READING = {
    *(f"{drawer}.{verb}" for drawer in (
        "tenants", "projects", "keys", "provider_keys", "rules", "content_policies", "webhooks",
        "admin_keys",
    ) for verb in ("list", "get")),
    *(f"rules.{verb}" for verb in ("projects", "templates", "live", "draft", "versions")),
    *(f"reports.{verb}" for verb in (
        "overview", "activity", "export", "record", "usage", "books", "providers", "quality",
        "settings", "audit", "freshness",
    )),
    "tenants.balance",
}  # fmt: skip


def verbs(desk: Desk):
    """Every public method of the desk that is awaited, by name."""
    for drawer, part in vars(desk).items():
        if drawer == "office":
            continue
        for name, method in inspect.getmembers(part, inspect.iscoroutinefunction):
            if not name.startswith("_"):
                yield f"{drawer}.{name}", method


async def test_every_verb_has_a_role(desk):
    """Whoever has a lower role is refused before anything happens."""
    found = dict(verbs(desk))
    roles = {
        name: "admin" if name in ADMINS_ONLY else "viewer" if name in READING else "operator"
        for name in found
    }

    assert found.keys() >= ADMINS_ONLY | READING
    for name, method in found.items():
        assert method.role == roles[name], name
        for role, rank in RANKS.items():
            if rank < RANKS[method.role]:
                with pytest.raises(Forbidden):
                    await method(Operator("somebody", role))
    assert desk.office.fact_store.since(0) == []


async def test_a_made_admin_key_opens(desk, clock):
    """Until it expires or is revoked; the role is the one of now."""
    made = await desk.admin_keys.create(
        ADMIN, AdminKeyDraft(role="viewer", expires_s=clock.wall() + 60)
    )
    access = desk.office.access

    assert made.secret.startswith("sya_")
    assert access.operator(made.secret, "a") == Operator(made.id, "viewer") == access.known(made.id)
    draft = AdminKeyDraft(role="operator", expires_s=clock.wall() + 60)
    await desk.admin_keys.update(ADMIN, made.id, draft)
    assert access.operator(made.secret, "a").role == "operator"
    clock.advance(61)
    await desk.office.refresh()
    with pytest.raises(Unauthenticated):
        access.operator(made.secret, "a")
    assert access.known(made.id) is None


async def test_rotation_of_an_admin_key(desk, clock):
    """The older secret opens until the overlap is over."""
    made = await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"))
    renewed = await desk.admin_keys.rotate(ADMIN, made.id, 60.0)
    access = desk.office.access
    assert access.operator(made.secret, "a") == access.operator(renewed.secret, "a")
    clock.advance(61)
    await desk.office.refresh()

    assert access.operator(renewed.secret, "a").id == made.id
    with pytest.raises(Unauthenticated):
        access.operator(made.secret, "a")


async def test_one_admin_remains(desk, clock):
    """The last admin key that lasts can neither be revoked, nor demoted, nor made to expire."""
    first = await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"))
    brief = AdminKeyDraft(role="admin", expires_s=clock.wall() + 5)
    await desk.admin_keys.create(ADMIN, brief)
    with pytest.raises(Conflict):
        await desk.admin_keys.revoke(ADMIN, first.id)
    for draft in (AdminKeyDraft(role="operator"), brief):
        with pytest.raises(Conflict):
            await desk.admin_keys.update(ADMIN, first.id, draft)
    await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"), "second")
    await desk.admin_keys.revoke(ADMIN, first.id)
    await desk.admin_keys.delete(ADMIN, first.id)

    with pytest.raises(Conflict):
        await desk.admin_keys.delete(ADMIN, "second")
    with pytest.raises(Conflict):
        await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"), "configuration")
    with pytest.raises(InvalidRequest):
        await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin", expires_s=1.0))


async def test_two_admins_who_revoke_each_other_at_once(desk):
    """One of them is told that the other would be the last: an admin is left."""
    for name in ("one", "two"):
        await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"), name)
    done = await asyncio.gather(
        desk.admin_keys.revoke(Operator("one", "admin"), "two"),
        desk.admin_keys.revoke(Operator("two", "admin"), "one"),
        return_exceptions=True,
    )
    await desk.office.refresh()
    left = [one for one in desk.office.replica.facts.of("admin_key").values() if not one.revoked_s]

    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Item"]
    assert len(left) == 1


async def test_the_last_two_admins_are_judged_in_one_transaction(desk, tmp_path, clock):
    """Also where both have looked before either writes: the second one looks again."""
    for name in ("one", "two"):
        await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"), name)
    office = office_of(tmp_path, clock)
    await office.refresh()
    other = Desk(office)
    looked = other.admin_keys._check_others

    def outrun(id_, fact):
        looked(id_, fact)
        other.admin_keys._check_others = looked
        before = desk.office.fact_store.find("admin_key", "one")
        gone = msgspec.structs.replace(
            msgspec.json.decode(before.payload, type=AdminKey), revoked_s=clock.wall()
        )
        write = Write("admin_key", "one", gone, before.version)
        desk.office.fact_store.write([write], actor="two", action="revoke")

    other.admin_keys._check_others = outrun
    with pytest.raises(Conflict, match="last admin key"):
        await other.admin_keys.revoke(Operator("one", "admin"), "two")
    close(office)


async def test_the_first_admin_key(desk, caplog):
    """It is made once, told once, and opens everything."""
    office = desk.office
    given = (office.fact_store, office.replica.facts, office.digest, office.clock)
    with caplog.at_level(logging.WARNING):
        secret = ensure_admin_key(*given, None)
        second = ensure_admin_key(*given, None)  # a replica that started at once
    await office.refresh()

    assert secret is not None
    assert second is None
    assert caplog.text.count(str(secret)) == 1
    assert office.access.operator(secret, "a") == Operator(FIRST, "admin")
    again = (office.fact_store, office.replica.facts, office.digest, office.clock)
    assert ensure_admin_key(*again, None) is None


async def test_a_stated_key_needs_no_other(desk):
    """Where the configuration states an admin key, none is made."""
    office = desk.office
    given = (office.fact_store, office.replica.facts, office.digest, office.clock)

    assert ensure_admin_key(*given, STATED) is None
    assert office.fact_store.since(0) == []


async def test_a_lost_first_key_comes_back(desk, clock):
    """Where no admin key works any more, the next start makes one."""
    office = desk.office
    first = ensure_admin_key(office.fact_store, office.replica.facts, office.digest, clock, None)
    await office.refresh()
    fact = office.replica.facts.of("admin_key")[FIRST]
    over = msgspec.structs.replace(fact, revoked_s=clock.wall())
    office.fact_store.write([Write("admin_key", FIRST, over)], actor="test", action="revoke")
    await office.refresh()
    second = ensure_admin_key(office.fact_store, office.replica.facts, office.digest, clock, None)
    await office.refresh()

    assert office.access.operator(second, "a").id == FIRST
    with pytest.raises(Unauthenticated):
        office.access.operator(first, "a")


def access_of(clock, desk, stale_s=0.0):
    """Access with a stated key, to facts so old."""

    class Held:
        facts = desk.office.replica.facts

    Held.stale_s = stale_s
    return Access(Held(), desk.office.digest, clock, STATED)


async def test_wrong_keys_are_throttled(desk, clock):
    """Ten in a minute, then even the right stated one waits; a made one never does."""
    made = await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="viewer"))
    access = access_of(clock, desk)
    assert access.operator(STATED, "a").id == "configuration"
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            access.operator("wrong", "a")
    with pytest.raises(Throttled) as refused:
        access.operator(STATED, "a")

    assert 0 < refused.value.retry_after_s <= 60
    assert access.operator(STATED, "b").role == "admin"
    assert access.operator(made.secret, "a").id == made.id
    clock.advance(61)
    assert access.operator(STATED, "a").role == "admin"


async def test_old_facts_lack_keys(desk, clock):
    """A key that may have been made meanwhile is not called wrong."""
    access = access_of(clock, desk, stale_s=6.0)
    with pytest.raises(Unavailable):
        access.operator("sya_" + "x" * 43, "a")
    with pytest.raises(Unauthenticated):
        access.operator("guess", "a")
    assert access.known("nobody") is None


def test_tries_are_bounded():
    """However many addresses try, the table does not grow beyond its size."""
    tries = Tries(ManualClock())
    for number in range(ADDRESSES_MAX + 10):
        tries.note(str(number))

    assert len(tries._failed) == ADDRESSES_MAX


@pytest.mark.parametrize("who", [OPERATOR, VIEWER])
async def test_no_way_up(desk, who):
    """Nobody makes a key that may more than the key they have."""
    with pytest.raises(Forbidden):
        await desk.admin_keys.create(who, AdminKeyDraft(role="admin"))
