"""Keys that operators make at run time, and what they may use, on a whole gateway."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
import pytest_asyncio

from gateway.config.schema import Rule, Target
from gateway.state.fact_store import Write
from gateway.state.facts import (
    GatewayKey,
    KeyHash,
    Limits,
    ProviderKeyFact,
    RuleSet,
    SpendLimit,
    Tenant,
    TenantProject,
    Webhook,
)
from gateway.state.key_secrets import provider_key_context, webhook_context
from tests.fakes.stage import running_stage
from tests.fakes.upstream import chat_answer, scripted, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sy_acme"
AUTH = {"authorization": f"Bearer {SECRET}"}
KEY = GatewayKey(tenant="acme", project="shop", hashes=(), prefix="sy_acme")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory):
    """One gateway for the whole module."""
    async with running_stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


class Operator:
    """Writes facts as operators do, and waits until the gateway serves by them."""

    def __init__(self, stage):
        self.app = stage.app

    async def put(self, kind, name, value):
        """Write one fact."""
        foundation = self.app.foundation
        write = [Write(kind, name, value)]
        await asyncio.to_thread(foundation.fact_store.write, write, actor="test", action="put")
        await foundation.replica.refresh()
        await asyncio.sleep(0)  # what is compiled of it is compiled under this lock
        async with self.app._reloading:
            pass

    async def key(self, secret=SECRET, name="k1", **changes):
        """A key with this *secret*."""
        hashes = (KeyHash(self.app.foundation.digest(secret)),)
        key = msgspec.structs.replace(KEY, hashes=hashes, **changes)
        await self.put("key", name, key)
        return key

    async def tenant(self, **changes):
        """The tenant of the key."""
        await self.put("tenant", "acme", Tenant(**changes))


@pytest_asyncio.fixture(loop_scope="module")
async def operator(stage):
    """An operator, with a tenant and a key without any limit; the upstream answers at once."""
    stage.upstream.scenes[:] = [whole(chat_answer())]
    one = Operator(stage)
    await one.tenant()
    await one.put("project", "shop", TenantProject(tenant="acme"))
    await one.key()
    return one


async def ask(stage, **headers):
    """The status, headers and body of a chat with the key."""
    reply, text = await stage.chat("Say hello in French.", **{**AUTH, **headers})
    return reply.status, reply.headers, json.loads(text)


async def test_a_key_opens_the_door_until_it_is_revoked(stage, operator):
    """From the moment on in which the replica hears of it."""
    assert (await ask(stage))[0] == 200
    key = await operator.key()
    await operator.put("key", "k1", msgspec.structs.replace(key, revoked_s=1.0))
    status, _, body = await ask(stage)

    assert (status, body["error"]["message"]) == (401, "This API key was revoked.")
    assert (await ask(stage, authorization="Bearer sy_other"))[0] == 401


async def test_the_record_says_whose_request_it_was(stage, operator):
    """Tenant, project and key."""
    reply, _ = await stage.chat("Say hello in French.", **AUTH)
    path = f"/v1/decisions/{reply.headers['X-Switchyard-Request-Id']}"
    async with stage.http.get(path, headers=AUTH) as found:
        record = (await found.json())["record"]

    assert record["principal"] == {"project": "shop", "key_id": "k1", "tenant": "acme"}


async def test_another_tenant_of_the_same_project_sees_nothing_of_it(stage, operator):
    """Not the record, and it is not there to be judged; the project of both is the common one."""
    await operator.key(project="default")
    await operator.put("tenant", "rival", Tenant())
    await operator.key("sy_rival", "rival", tenant="rival", project="default")
    reply, _ = await stage.chat("Say hello in French.", **AUTH)
    id_ = reply.headers["X-Switchyard-Request-Id"]
    rival = {"authorization": "Bearer sy_rival"}
    for headers, status in ((AUTH, 200), (rival, 404)):
        async with stage.http.get(f"/v1/decisions/{id_}", headers=headers) as found:
            assert found.status == status
        said = {"id": id_, "thumb": "up"}
        async with stage.http.post("/v1/feedback", json=said, headers=headers) as found:
            assert found.status == status


async def test_a_key_may_be_held_to_models_and_routes(stage, operator):
    """Other models are refused with the reason, other paths too."""
    await operator.key(allowed_models=("gpt-4o-mini",))
    status, _, body = await ask(stage)
    assert (status, "that the key may use" in body["error"]["message"]) == (422, True)
    reply, _ = await stage.chat("Say hello.", model="gpt-4o-mini", **AUTH)
    assert reply.status == 200
    await operator.key(allowed_routes=("/v1/embeddings",))
    assert (await ask(stage))[0] == 403


async def test_what_a_client_leaves_open_its_key_says(stage, operator):
    """A key whose default is to route moves the request; the client's own word wins."""
    await operator.key(action="auto")
    _, headers, _ = await ask(stage)
    assert headers["X-Switchyard-Routing-Reason"]
    _, headers, _ = await ask(stage, **{"X-Switchyard-Route-Action": "disabled"})
    assert "X-Switchyard-Routing-Reason" not in headers


async def test_requests_per_minute_are_exact_under_concurrency(stage, operator):
    """Of fifty at once just seven pass; the rest is told when to return."""
    await operator.key("sy_rpm", "rpm", limits=Limits(requests_per_minute=7))
    calls = [ask(stage, authorization="Bearer sy_rpm") for _ in range(50)]
    answers = await asyncio.gather(*calls)
    passed = [headers for status, headers, _ in answers if status == 200]
    refused = [(headers, body) for status, headers, body in answers if status == 429]

    assert (len(passed), len(refused)) == (7, 43)
    assert {headers["x-ratelimit-limit-requests"] for headers in passed} == {"7"}
    headers, body = refused[0]
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert int(headers["retry-after"]) > 0
    assert headers["x-should-retry"] == "true"
    assert body["error"]["code"] == "rate_limit_exceeded"


async def test_requests_at_once_are_counted_until_they_end(stage, operator):
    """A slot that was used is free again."""
    await operator.key("sy_two", "two", limits=Limits(concurrent=1))
    for _ in range(3):
        assert (await ask(stage, authorization="Bearer sy_two"))[0] == 200


async def test_a_spend_limit_moves_requests_to_a_cheaper_model(stage, operator):
    """Where the named model costs more than what is left, one that fits in answers."""
    limits = Limits(spend=(SpendLimit(usd=0.005),), at_limit="cheaper")
    await operator.key("sy_usd", "usd", limits=limits)
    _, headers, _ = await ask(stage, authorization="Bearer sy_usd")
    assert headers["X-Switchyard-Selected-Model"] == "gpt-4o-mini"


async def test_a_spend_limit_refuses_where_it_is_told_to(stage, operator):
    """With 402, the numbers, and no retry; nothing was sent."""
    limits = Limits(spend=(SpendLimit(usd=0.0000001),))
    await operator.key("sy_hard", "hard", limits=limits)
    sent = len(stage.upstream.received)
    status, headers, body = await ask(stage, authorization="Bearer sy_hard")

    assert (status, headers["x-should-retry"]) == (402, "false")
    assert "limit" in body["error"]["message"]
    assert len(stage.upstream.received) == sent


async def test_spending_never_passes_its_limit_under_concurrency(stage, operator):
    """What is in flight counts as spent, so a crowd spends what one after the other would."""
    limits = Limits(spend=(SpendLimit(usd=0.05),))
    await operator.key("sy_crowd", "crowd", limits=limits)
    calls = [ask(stage, authorization="Bearer sy_crowd") for _ in range(60)]
    answers = await asyncio.gather(*calls)
    charging = stage.app.accounting.charging
    terms = charging.terms(next(p for p in charging._terms_of._compiled if p.key_id == "crowd"))
    used = charging.meters.state(terms.money[0])

    assert {status for status, _, _ in answers} == {200, 402}
    assert (used.held, used.used <= used.limit.most) == (0, True)


async def test_credits_are_reserved_taken_and_shown(stage, operator):
    """A tenant with a balance pays from it, and is refused with 402 without one."""
    await operator.tenant(credits=True)
    headers = {**AUTH, "X-LockLLM-Route-Action": "disabled"}
    reply, text = await stage.post("/v1/proxy/chat/completions", body("openai/gpt-4o"), **headers)
    error = json.loads(text)["error"]
    assert (reply.status, error["type"], error["code"]) == (
        402,
        "lockllm_balance_error",
        "no_balance",
    )
    assert (error["current_balance"], error["estimated_cost"] > 0) == (0.0, True)
    accounting = stage.app.accounting
    await asyncio.to_thread(
        accounting.ledger.top_up, "acme", 10**9, note="", by="test", idempotency_key="1"
    )
    await accounting.refresh_balances()
    reply, _ = await stage.post("/v1/proxy/chat/completions", body("openai/gpt-4o"), **headers)

    assert reply.status == 200
    assert reply.headers["X-LockLLM-Credits-Mode"] == "lockllm_credits"
    taken = float(reply.headers["X-LockLLM-Credits-Deducted"])
    assert 0 < taken < float(reply.headers["X-LockLLM-Credits-Reserved"])
    assert float(reply.headers["X-LockLLM-Balance-After"]) == pytest.approx(1 - taken)


async def test_a_webhook_hears_of_a_balance_that_becomes_low(stage, operator):
    """Signed, and once, however many requests come after."""
    foundation, accounting = stage.app.foundation, stage.app.accounting
    await asyncio.to_thread(
        accounting.ledger.top_up, "acme", 10**9, note="", by="test", idempotency_key="low"
    )
    await accounting.refresh_balances()
    left = accounting.charging.balance_nano_usd("acme")
    await operator.tenant(credits=True, low_balance_usd=(left - 1) / 10**9)
    sealed = foundation.vault.seal("secret", webhook_context("w"))
    async with scripted(whole()) as listener:
        hook = Webhook(url=listener.url, sealed=sealed, events=("balance.low",))
        await operator.put("webhook", "w", hook)
        async with asyncio.timeout(20):
            while not listener.arrived.is_set():  # the ledger has to say what was used before
                assert (await ask(stage))[0] == 200
        for _ in range(3):
            assert (await ask(stage))[0] == 200
        await operator.put("webhook", "w", None)
    (told,) = listener.received
    notice = json.loads(told.body)

    assert "webhook-signature" in told.headers
    assert (notice["type"], notice["data"]["tenant"]) == ("balance.low", "acme")
    assert 0 < notice["data"]["left_nano_usd"] < left


def body(model):
    """A chat."""
    return {"model": model, "messages": [{"role": "user", "content": "Say hello in French."}]}


async def test_the_tenants_own_provider_key_is_used(stage, operator):
    """The upstream sees it, the record names it, and no reply holds it."""
    foundation = stage.app.foundation
    sealed = foundation.vault.seal("sk-acme", provider_key_context("p1", "acme", "openai"))
    await operator.put(
        "provider_key", "p1", ProviderKeyFact(tenant="acme", provider="openai", sealed=sealed)
    )
    await ask(stage)
    assert stage.upstream.received[-1].headers["authorization"] == "Bearer sk-acme"
    await operator.tenant(own_keys="only")
    reply, text = await stage.message("Say hello.", **AUTH)
    await operator.put("provider_key", "p1", None)

    assert (reply.status, "has no key of" in text) == (422, True)


async def test_a_tenant_brings_a_provider_that_the_operator_has_no_key_for(stage, operator):
    """It is served there, at its own endpoint, and nobody else is."""
    foundation = stage.app.foundation
    sealed = foundation.vault.seal("gsk-acme", provider_key_context("p2", "acme", "groq"))
    key = ProviderKeyFact(
        tenant="acme", provider="groq", sealed=sealed, base_url=f"{stage.upstream.url}/v1"
    )
    oss = {"model": "gpt-oss-20b"}
    assert (await stage.chat("Hello.", **oss, **AUTH))[0].status == 404
    await operator.put("provider_key", "p2", key)
    reply, _ = await stage.chat("Hello.", **oss, **AUTH)
    assert reply.status == 200
    assert stage.upstream.received[-1].headers["authorization"] == "Bearer gsk-acme"
    await operator.put("tenant", "other", Tenant())
    hashes = (KeyHash(foundation.digest("sy_other")),)
    other = msgspec.structs.replace(KEY, tenant="other", project="none", hashes=hashes)
    await operator.put("key", "other", other)
    reply, text = await stage.chat("Hello.", **oss, authorization="Bearer sy_other")
    assert (reply.status, "has no key of" in text) == (422, True)
    await operator.put("provider_key", "p2", None)
    assert (await stage.chat("Hello.", **oss, **AUTH))[0].status == 404


async def test_published_rules_route_requests(stage, operator):
    """From the next request on, without a restart."""
    rule = Rule(id="cheap", then=Target(model="gpt-4o-mini"))
    await operator.put("rules", "shop", RuleSet(rules=(rule,)))
    _, headers, _ = await ask(stage, **{"X-Switchyard-Route-Action": "custom"})
    assert headers["X-Switchyard-Selected-Model"] == "gpt-4o-mini"
    assert headers["X-Switchyard-Rule"] == "cheap"
    await operator.put("rules", "shop", None)
    _, headers, _ = await ask(stage, **{"X-Switchyard-Route-Action": "custom"})
    assert "X-Switchyard-Rule" not in headers


async def test_the_ledger_has_every_request(stage, operator):
    """What was reserved is settled, entries sum to zero, and nothing is held."""
    for _ in range(3):
        await ask(stage)
    await asyncio.sleep(1.2)
    check = await asyncio.to_thread(stage.app.accounting.ledger.check)
    totals = await asyncio.to_thread(
        stage.app.accounting.ledger.totals, 0.0, 4e9, ["tenant", "model"]
    )

    assert (check.sum_nano_usd, check.wrong_balances) == (0, ())
    assert sum(total.attempts for total in totals) >= 3


async def test_a_limit_holds_from_the_first_request_after_a_restart(tmp_path):
    """However many come at once, before anything was counted here."""
    limits = Limits(spend=(SpendLimit(usd=0.03),))
    spent = 0
    async with running_stage(tmp_path) as stage:
        operator = Operator(stage)
        await operator.tenant()
        await operator.put("project", "shop", TenantProject(tenant="acme"))
        await operator.key(limits=limits)
        while (await ask(stage))[0] == 200:
            spent += 1
    async with running_stage(tmp_path) as stage:
        found = await asyncio.gather(*(ask(stage) for _ in range(20)))

    assert spent > 0
    assert [status for status, _, _ in found] == [402] * 20
