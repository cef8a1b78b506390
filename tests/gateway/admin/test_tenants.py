"""Tenants and projects at the desk."""

from __future__ import annotations

import msgspec
import pytest

from gateway.admin.desk import Desk
from gateway.admin.keys import KeyDraft
from gateway.admin.tenants import TopUp
from gateway.config.schema import Policy, Project, Rule, Target
from gateway.core.errors import Conflict, Forbidden, InvalidRequest, NotFound
from gateway.core.request import RouteAction
from gateway.state.facts import Limits, SpendLimit, Tenant, TenantProject
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER

LIMITS = Limits(
    spend=(SpendLimit(usd=5.0, window="day"), SpendLimit(usd=1.0, window="rolling 3600")),
    requests_per_minute=60,
    tokens_per_minute=10_000,
    concurrent=3,
)


async def test_a_tenant_lives(desk):
    """Made, read, changed, listed and deleted, each at a version of its own."""
    made = await desk.tenants.create(OPERATOR, "acme", Tenant(name="Acme"))
    found = await desk.tenants.get(VIEWER, "acme")
    changed = await desk.tenants.update(OPERATOR, "acme", Tenant(disabled=True), found.version)

    assert found == made
    assert changed.version > made.version
    assert [entry.id for entry in (await desk.tenants.list(VIEWER)).items] == ["acme", "default"]

    await desk.tenants.delete(OPERATOR, "acme", changed.version)
    with pytest.raises(NotFound):
        await desk.tenants.get(VIEWER, "acme")
    assert [entry.id for entry in (await desk.tenants.list(VIEWER)).items] == ["default"]


async def test_the_tenant_that_is_always_there(desk):
    """It is shown without having been made, can be limited, and forgets that with keys in use."""
    shown = await desk.tenants.get(VIEWER, "default")
    assert (shown.version, shown.value) == (0, Tenant())
    await desk.keys.create(OPERATOR, KeyDraft())
    limited = await desk.tenants.update(ADMIN, "default", Tenant(limits=LIMITS), shown.version)
    assert desk.office.replica.facts.of("tenant")["default"].limits == LIMITS
    with pytest.raises(Conflict):
        await desk.tenants.update(ADMIN, "default", Tenant(), shown.version)
    with pytest.raises(Forbidden):
        await desk.tenants.delete(OPERATOR, "default")
    await desk.tenants.delete(ADMIN, "default", limited.version)

    assert (await desk.tenants.get(VIEWER, "default")).value == Tenant()
    with pytest.raises(NotFound):
        await desk.tenants.delete(ADMIN, "default")


async def test_every_field_of_a_tenant_reads_back(desk):
    """What is written is what is read, also by the replica."""
    said = Tenant(
        name="Acme",
        credits=True,
        low_balance_usd=0.5,
        own_keys="only",
        disabled=True,
        limits=LIMITS,
    )
    assert all(getattr(said, name) != getattr(Tenant(), name) for name in said.__struct_fields__)
    await desk.tenants.create(ADMIN, "acme", said)

    assert (await desk.tenants.get(VIEWER, "acme")).value == said
    assert desk.office.replica.facts.of("tenant") == {"acme": said}


async def test_somebody_else_was_quicker(desk):
    """A change of what one has not seen is a conflict, and so is making it twice."""
    first = await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.tenants.update(OPERATOR, "acme", Tenant(name="theirs"), first.version)
    with pytest.raises(Conflict):
        await desk.tenants.update(OPERATOR, "acme", Tenant(name="mine"), first.version)
    with pytest.raises(Conflict):
        await desk.tenants.create(OPERATOR, "acme", Tenant())

    assert (await desk.tenants.get(VIEWER, "acme")).value.name == "theirs"


@pytest.mark.parametrize(
    "value",
    [Tenant(credits=True), Tenant(limits=Limits(spend=(SpendLimit(usd=1),)))],
)
async def test_money_takes_an_admin(desk, value):
    """An operator cannot let a tenant spend, nor take its limit away."""
    with pytest.raises(Forbidden):
        await desk.tenants.create(OPERATOR, "acme", value)
    await desk.tenants.create(ADMIN, "acme", value)
    with pytest.raises(Forbidden):
        await desk.tenants.update(OPERATOR, "acme", Tenant())
    renamed = msgspec.structs.replace(value, name="Acme")
    await desk.tenants.update(OPERATOR, "acme", renamed)
    with pytest.raises(Forbidden):
        await desk.tenants.delete(OPERATOR, "acme")
    await desk.tenants.delete(ADMIN, "acme")


@pytest.mark.parametrize("window", ["", "days", "rolling", "rolling 0", "rolling -5", "now"])
async def test_a_window_that_is_none(desk, window):
    """A limit over a window that nobody counts would be none."""
    value = Tenant(limits=Limits(spend=(SpendLimit(usd=1, window=window),)))
    with pytest.raises(InvalidRequest) as refused:
        await desk.tenants.create(ADMIN, "acme", value)

    assert refused.value.param == "$.limits.spend[0].window"
    assert refused.value.status == 422


@pytest.mark.parametrize("name", ["", "a b", "é", "a/b", "x" * 65, "a\n"])
async def test_a_name_that_is_none(desk, name):
    """Ids are short and plain: they stand in paths and headers."""
    with pytest.raises(InvalidRequest):
        await desk.tenants.create(OPERATOR, name, Tenant())


async def test_a_tenant_with_belongings_stays(desk):
    """What would be left without a tenant is named."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.projects.create(OPERATOR, "site", TenantProject(tenant="acme"))
    with pytest.raises(Conflict, match="1 projects left, such as 'site'"):
        await desk.tenants.delete(OPERATOR, "acme")
    await desk.projects.delete(OPERATOR, "site")
    await desk.tenants.delete(OPERATOR, "acme")


async def test_top_up_once(desk):
    """The same top-up twice adds once; another one under the same name is a conflict."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    for _ in range(2):
        balance = await desk.tenants.top_up(ADMIN, "acme", TopUp(nano_usd=5 * 10**9), "t1")

    assert balance.available_nano_usd == 5 * 10**9
    assert await desk.tenants.balance(VIEWER, "acme") == balance
    actions = [entry.action for entry in desk.office.fact_store.history("tenant", "acme")]
    assert actions == ["top up", "top up", "create"]
    with pytest.raises(Conflict):
        await desk.tenants.top_up(ADMIN, "acme", TopUp(nano_usd=1), "t1")
    with pytest.raises(NotFound):
        await desk.tenants.top_up(ADMIN, "nobody", TopUp(nano_usd=1), "t2")


async def test_the_gateway_sees_a_top_up_at_once(desk):
    """Whoever tops up may spend it with the next request."""
    seen = []

    async def see():
        seen.append(desk.office.ledger.balance("acme").available_nano_usd)

    office = msgspec.structs.replace(desk.office, refresh_balances=see)
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await Desk(office).tenants.top_up(ADMIN, "acme", TopUp(nano_usd=7), "t1")

    assert seen == [7]


async def test_every_field_of_a_project_reads_back(desk):
    """What is written is what is read."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    settings = Project(
        action=RouteAction.AUTO,
        mode="eco",
        policy=Policy(denied_providers=("anthropic",)),
        rules=(Rule(id="r", then=Target(mode="eco")),),
    )
    said = TenantProject(tenant="acme", settings=settings, limits=LIMITS)
    await desk.projects.create(OPERATOR, "site", said)

    assert (await desk.projects.get(VIEWER, "site")).value == said


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (TenantProject(tenant="nobody"), "$.tenant"),
        (TenantProject(settings=Project(mode="turbo")), "$.settings.mode"),
        (
            TenantProject(settings=Project(policy=Policy(denied_models=("no-such",)))),
            "$.settings.policy.denied_models[0]",
        ),
        (
            TenantProject(settings=Project(rules=(Rule(id="r", then=Target()),))),
            "$.settings.rules[0].then",
        ),
    ],
)
async def test_a_project_that_means_nothing(desk, value, path):
    """Names of nothing are refused with the path of the mistake."""
    with pytest.raises(InvalidRequest) as refused:
        await desk.projects.create(OPERATOR, "my.site", value)

    assert refused.value.param == path


async def test_a_project_of_the_file_keeps_its_settings(desk):
    """What the file decides cannot be written here and ignored; its limits can be."""
    settings = Project(mode="sport")
    with pytest.raises(InvalidRequest, match="configuration file"):
        await desk.projects.create(OPERATOR, "configured", TenantProject(settings=settings))
    await desk.projects.create(OPERATOR, "configured", TenantProject(limits=LIMITS))


async def test_a_project_stays_with_its_tenant(desk):
    """Its keys and its money are there."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.projects.create(OPERATOR, "site", TenantProject(tenant="acme"))
    with pytest.raises(InvalidRequest, match="stays with its tenant"):
        await desk.projects.update(OPERATOR, "site", TenantProject())


async def test_a_project_with_keys_stays(desk):
    """A key of no project would be routed by nobody's wishes."""
    await desk.projects.create(OPERATOR, "site", TenantProject())
    made = await desk.keys.create(OPERATOR, KeyDraft(project="site"))
    with pytest.raises(Conflict, match=made.id):
        await desk.projects.delete(OPERATOR, "site")


async def test_a_list_comes_in_pages(desk):
    """Every one comes once, in order."""
    for name in ("c", "a", "b"):
        await desk.tenants.create(OPERATOR, name, Tenant())
    first = await desk.tenants.list(VIEWER, limit=2)
    rest = await desk.tenants.list(VIEWER, after=first.next, limit=2)

    assert [entry.id for entry in (*first.items, *rest.items)] == ["a", "b", "c", "default"]
    assert rest.next is None
