"""What operators look at."""

from __future__ import annotations

import msgspec
import pytest

from gateway.admin.admin_keys import AdminKeyDraft
from gateway.admin.desk import Desk
from gateway.admin.keys import KeyDraft
from gateway.admin.masks import HIDDEN, masked_config, masked_url
from gateway.admin.playground import Trial
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.admin.reports import AuditAsked, Stretch, UsageAsked
from gateway.config.admin_schema import AdminSettings, OidcSettings
from gateway.config.schema import Config, ProviderSettings, StateSettings
from gateway.core.errors import InvalidRequest, NotFound, Unavailable
from gateway.record.activity import ActivityFilter
from gateway.state.facts import Tenant
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER, with_gateway
from tests.gateway.admin.traffic import COUNT, record_traffic


async def test_the_records(desk):
    """Summed up, looked through by a filter in pages, and read one by one."""
    record_traffic(desk.office)
    sums = await desk.reports.overview(VIEWER, Stretch(hours=1, parts=2))
    first = await desk.reports.activity(VIEWER, ActivityFilter(key="k1"), limit=15)
    rest = await desk.reports.activity(VIEWER, ActivityFilter(key="k1"), first.next, limit=15)
    one = await desk.reports.record(VIEWER, "req_3")

    assert (sums.total.requests, len(sums.parts)) == (COUNT, 2)
    ids = [line.request_id for line in (*first.items, *rest.items)]
    assert ids == [f"req_{number}" for number in range(COUNT - 1, 0, -2)]
    assert one.record["principal"]["key_id"] == "k1"
    with pytest.raises(NotFound):
        await desk.reports.record(VIEWER, "none")
    with pytest.raises(InvalidRequest):
        await desk.reports.activity(VIEWER, ActivityFilter(), "no cursor")


async def test_feedback_shows_in_the_matrix(desk):
    """One cell for what was judged, with its interval, and not trusted yet."""
    record_traffic(desk.office)
    found = await desk.reports.quality(VIEWER)

    assert [(cell.judged, cell.trusted) for cell in found.cells] == [(1, False)]
    assert found.cells[0].low < found.cells[0].mean < found.cells[0].high


async def test_usage_without_any(desk):
    """A ledger in which nothing happened has no totals, and is right."""
    assert await desk.reports.usage(VIEWER, UsageAsked()) == []
    assert (await desk.reports.books(VIEWER)).wrong_balances == ()


async def test_the_audit_log_shows_no_secret(desk):
    """Who did what, newest first, in pages; hashes and sealed secrets are hidden."""
    await desk.keys.create(OPERATOR, KeyDraft(), "k")
    await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="viewer"), "a")
    secret = ProviderKeyDraft(provider="openai", secret="sk-0123456789abcdef0123")
    await desk.provider_keys.create(ADMIN, secret, "p")
    first = await desk.reports.audit(VIEWER, AuditAsked(limit=2))
    rest = await desk.reports.audit(VIEWER, AuditAsked(after=first.next))
    lines = [*first.items, *rest.items]

    assert [(line.actor, line.kind, line.id) for line in lines] == [
        ("root", "provider_key", "p"),
        ("root", "admin_key", "a"),
        ("olga", "key", "k"),
    ]
    assert rest.next is None
    assert (
        lines[0].after["sealed"] == lines[1].after["hashes"] == lines[2].after["hashes"] == HIDDEN
    )
    only = await desk.reports.audit(VIEWER, AuditAsked(kind="key", id="k"))
    assert [line.id for line in only.items] == ["k"]


async def test_settings_show_no_secret(desk):
    """References are shown, secrets are not, and facts are part of them."""
    shown = await desk.reports.settings(VIEWER)

    assert shown["keys"][0]["secret"] == "env:CLIENT"
    assert "configured" in shown["projects"]
    assert b"sk-client" not in msgspec.json.encode(shown)


def test_masks():
    """Whatever may be a secret is hidden, wherever it stands."""
    config = Config(
        providers={
            "openai": ProviderSettings(
                api_key="sk-plain", headers={"x-key": "plain", "x-ref": "env:KEY"}
            )
        },
        state=StateSettings(
            database_url="postgresql://me:hunter2@db/x?password=hunter3",
            redis_url="redis://:hunter4@r",
            old_master_keys=("file:/old", "plain"),
        ),
        admin=AdminSettings(
            oidc=OidcSettings(
                issuer="https://i", client_id="c", client_secret="hunter5", roles={"g": "viewer"}
            )
        ),
    )
    shown = masked_config(config)
    text = msgspec.json.encode(shown)

    for secret in (b"sk-plain", b"hunter", b'"plain"'):
        assert secret not in text
    assert shown["providers"]["openai"]["headers"] == {"x-key": HIDDEN, "x-ref": "env:KEY"}
    assert shown["state"]["old_master_keys"] == ["file:/old", HIDDEN]
    assert shown["state"]["database_url"] == "postgresql://me:***@db/x"
    assert masked_url("no url") == HIDDEN
    assert masked_url(None) is None


async def test_the_fleet(desk):
    """Every deployment with its price; health where a gateway runs."""
    fleet = await desk.reports.providers(VIEWER)
    alive = await Desk(with_gateway(desk.office)).reports.providers(VIEWER)

    assert {place.provider for place in fleet.deployments} == {"openai", "anthropic"}
    assert fleet.health == []
    assert {entry.provider for entry in alive.health} == {"openai", "anthropic"}


async def test_how_old_the_facts_are(desk, clock):
    """Never read is not fresh."""
    assert (await desk.reports.freshness(VIEWER)).stale_s is None
    made = await desk.tenants.create(OPERATOR, "acme", Tenant())
    clock.advance(3)
    found = await desk.reports.freshness(VIEWER)

    assert (found.version, found.stale_s) == (made.version, 3.0)


async def test_the_playground(desk):
    """A prompt is decided on and explained, under the project that is named; nobody is called."""
    playground = Desk(with_gateway(desk.office)).playground
    found = await playground.decide(
        OPERATOR, Trial(prompt="Say hello in French.", system="Be kind.")
    )
    kept = await playground.decide(OPERATOR, Trial(prompt="Hello", model="gpt-4o", action=None))

    assert found.decision["model"] in {one.model for one in found.candidates}
    assert found.decision["reason"]
    assert found.scores["tier"] == "low"
    assert kept.decision["model"] == "gpt-4o"
    with pytest.raises(InvalidRequest) as refused:
        await playground.decide(OPERATOR, Trial(prompt="x", mode="turbo"))
    assert refused.value.param == "$.mode"
    with pytest.raises(InvalidRequest, match="no such project"):
        await playground.decide(OPERATOR, Trial(prompt="x", project="nowhere"))
    with pytest.raises(Unavailable):
        await desk.playground.decide(OPERATOR, Trial(prompt="x"))
