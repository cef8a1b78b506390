"""Provider keys, webhooks and content policies at the desk."""

from __future__ import annotations

import base64

import msgspec
import pytest

from gateway.admin.desk import Desk
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.admin.webhooks import WebhookDraft
from gateway.core.content_policy import ContentPolicy, PolicyCategory
from gateway.core.errors import Conflict, InvalidRequest, NotFound, Unavailable
from gateway.state.facts import PolicyFact, Tenant
from gateway.state.key_secrets import provider_key_context, webhook_context
from tests.gateway.admin.offices import ADMIN, OPERATOR, VIEWER

SECRET = "sk-proj-0123456789abcdefghijWXYZ"
DRAFT = ProviderKeyDraft(provider="openai", secret=SECRET)
HOOK = WebhookDraft(url="https://hooks.example.com/x")


def opened(desk, id_):
    """The secret that is sealed in a provider key."""
    fact = desk.office.replica.facts.of("provider_key")[id_]
    return desk.office.vault.open(
        fact.sealed, provider_key_context(id_, fact.tenant, fact.provider)
    )


async def test_a_provider_key_is_sealed(desk):
    """It opens with the vault, and stands in nothing that is kept or shown."""
    made = await desk.provider_keys.create(ADMIN, DRAFT, "mine")
    kept = b"".join(change.payload for change in desk.office.fact_store.since(0))

    assert opened(desk, "mine") == SECRET
    assert made.value.hint == "WXYZ"
    for said in (msgspec.json.encode(made), kept):
        assert SECRET.encode() not in said
        assert b"0123456789" not in said
    assert b"sealed" not in msgspec.json.encode(await desk.provider_keys.list(VIEWER))


async def test_every_field_of_a_provider_key_reads_back(desk):
    """What is written is what is read, when it is made and when it is changed."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    said = ProviderKeyDraft(
        provider="anthropic",
        tenant="acme",
        secret=SECRET,
        name="ours",
        base_url="https://llm.example.com/v1",
        weight=2.5,
        disabled=True,
    )
    first = await desk.provider_keys.create(ADMIN, said, "k")
    plain = ProviderKeyDraft(provider="anthropic", tenant="acme", secret="sk-" + "y" * 20)
    other = await desk.provider_keys.create(ADMIN, plain)
    changed = await desk.provider_keys.update(ADMIN, other.id, said, other.version)

    for value in (first.value, changed.value, (await desk.provider_keys.get(VIEWER, "k")).value):
        for name in said.__struct_fields__:
            if name != "secret":
                assert getattr(value, name) == getattr(said, name)
    assert opened(desk, other.id) == SECRET


async def test_a_secret_is_kept_unless_replaced(desk):
    """A change without a secret keeps it; a short one gets no hint."""
    await desk.provider_keys.create(ADMIN, DRAFT, "mine")
    kept = await desk.provider_keys.update(
        ADMIN, "mine", ProviderKeyDraft(provider="openai", weight=3.0)
    )
    assert (kept.value.weight, opened(desk, "mine"), kept.value.hint) == (3.0, SECRET, "WXYZ")
    short = ProviderKeyDraft(provider="openai", secret="short")
    replaced = await desk.provider_keys.update(ADMIN, "mine", short)

    assert (replaced.value.hint, opened(desk, "mine")) == ("", "short")


async def test_a_new_endpoint_takes_the_secret_again(desk):
    """Else whoever may change a key could have its secret sent to them."""
    await desk.provider_keys.create(ADMIN, DRAFT, "mine")
    moved = ProviderKeyDraft(provider="openai", base_url="https://evil.example.com")
    with pytest.raises(InvalidRequest) as refused:
        await desk.provider_keys.update(ADMIN, "mine", moved)

    assert refused.value.param == "$.secret"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"secret": None}, "$.secret"),
        ({"secret": "two\nlines"}, "$.secret"),
        ({"provider": "nobody"}, "$.provider"),
        ({"tenant": "nobody"}, "$.tenant"),
        ({"base_url": "http://llm.example.com"}, "$.base_url"),
        ({"base_url": "https://169.254.169.254/"}, "$.base_url"),
    ],
)
async def test_a_provider_key_that_is_refused(desk, changes, path):
    """The path of the mistake is named, and never a secret."""
    with pytest.raises(InvalidRequest) as refused:
        await desk.provider_keys.create(ADMIN, msgspec.structs.replace(DRAFT, **changes))

    assert refused.value.param == path
    assert SECRET not in refused.value.message


@pytest.mark.parametrize("name", ["tenant", "provider"])
async def test_a_provider_key_stays_where_it_is(desk, name):
    """Its secret is bound to tenant and provider."""
    await desk.tenants.create(OPERATOR, "acme", Tenant())
    await desk.provider_keys.create(ADMIN, DRAFT, "mine")
    value = {"tenant": "acme", "provider": "anthropic"}[name]
    moved = msgspec.structs.replace(DRAFT, **{name: value})
    with pytest.raises(InvalidRequest, match="stays with its"):
        await desk.provider_keys.update(ADMIN, "mine", moved)
    await desk.provider_keys.delete(ADMIN, "mine")
    with pytest.raises(NotFound):
        await desk.provider_keys.get(VIEWER, "mine")


async def test_a_webhook_lives(desk):
    """Its secret is shown when it is made and when it is renewed; every field reads back."""
    said = WebhookDraft(
        url="https://hooks.example.com/y", events=("limit.reached",), name="pager", disabled=True
    )
    made = await desk.webhooks.create(OPERATOR, HOOK, "pager")
    changed = await desk.webhooks.update(OPERATOR, "pager", said, made.version)
    renewed = await desk.webhooks.rotate(OPERATOR, "pager")
    fact = desk.office.replica.facts.of("webhook")["pager"]

    assert changed.value == said == (await desk.webhooks.get(VIEWER, "pager")).value
    assert renewed.secret != made.secret
    assert desk.office.vault.open(fact.sealed, webhook_context("pager")) == renewed.secret
    with pytest.raises(InvalidRequest):
        await desk.webhooks.create(OPERATOR, WebhookDraft(url="https://10.0.0.1/"))
    await desk.webhooks.delete(OPERATOR, "pager")


async def test_a_webhook_is_tested(desk):
    """Where a gateway runs, it is told, whatever it listens to; else that is said."""
    told = []
    office = msgspec.structs.replace(desk.office, tell=lambda *what: told.append(what))
    running = Desk(office)
    await running.webhooks.create(OPERATOR, HOOK, "all")
    await running.webhooks.create(OPERATOR, WebhookDraft(url=HOOK.url, disabled=True), "deaf")
    await running.webhooks.test(OPERATOR, "all")

    assert told == [("test", "all", {"webhook": "all", "by": "olga"})]
    with pytest.raises(Conflict):
        await running.webhooks.test(OPERATOR, "deaf")
    with pytest.raises(Unavailable):
        await desk.webhooks.test(OPERATOR, "all")


async def test_a_webhook_can_sign(desk):
    """Its secret is one that the sender of notices can use."""
    made = await desk.webhooks.create(OPERATOR, HOOK)
    mark, _, text = made.secret.partition("_")

    assert (mark, len(base64.b64decode(text, validate=True))) == ("whsec", 32)


async def test_every_field_of_a_content_policy_reads_back(desk):
    """What is written is what is read."""
    policy = ContentPolicy(
        name="No weather",
        description="We sell umbrellas.",
        categories=(PolicyCategory(name="weather", description="rain or shine"),),
        patterns=("rain(s|ed)?",),
        phrases=("what is the weather",),
        examples=("Will it rain tomorrow?",),
        negative_examples=("Write a poem about rain.",),
        threshold=0.5,
        harm=("injection",),
        harm_min=0.6,
        action="block",
        projects=("configured",),
    )
    said = PolicyFact(policy=policy)
    made = await desk.content_policies.create(OPERATOR, "weather", said)

    assert (await desk.content_policies.get(VIEWER, "weather")).value == said
    other = PolicyFact(policy=msgspec.structs.replace(policy, name="Less weather"))
    changed = await desk.content_policies.update(OPERATOR, "weather", other, made.version)
    assert changed.value == other
    await desk.content_policies.delete(OPERATOR, "weather", changed.version)


@pytest.mark.parametrize(
    ("policy", "tenant", "path"),
    [
        (ContentPolicy(name="empty"), "", "$.policy"),
        (ContentPolicy(name="broken", patterns=("(",)), "", "$.policy"),
        (ContentPolicy(name="taken", phrases=("x y",)), "", "$.policy.name"),
        (ContentPolicy(name="theirs", phrases=("x y",)), "nobody", "$.tenant"),
    ],
)
async def test_a_content_policy_that_is_refused(desk, policy, tenant, path):
    """What could not be compiled would not hold."""
    taken = PolicyFact(policy=ContentPolicy(name="taken", phrases=("a b",)))
    await desk.content_policies.create(OPERATOR, "first", taken)
    with pytest.raises(InvalidRequest) as refused:
        await desk.content_policies.create(OPERATOR, "p", PolicyFact(policy=policy, tenant=tenant))

    assert refused.value.param == path
    fresh = PolicyFact(policy=ContentPolicy(name="new", phrases=("c d",)))
    with pytest.raises(Conflict):
        await desk.content_policies.create(OPERATOR, "first", fresh)
