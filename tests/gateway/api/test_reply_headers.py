"""Headers that explain a reply, in the words of each family."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
from lockllm import parse_proxy_metadata

from gateway.api.reply_headers import EXPOSED, EXPOSED_BY_FAMILY, reply_headers
from gateway.cache.note import Note, Status
from gateway.choosing import Chosen
from gateway.compress.compress import CompressionSummary
from gateway.core.chat import Chat
from gateway.core.decision import Decision, Versions
from gateway.core.errors import AttackBlocked
from gateway.core.fleet import Capability, Deployment, ModelClass, Price
from gateway.core.outcome import Attempt, Failure
from gateway.core.request import Controls, Kind, Principal, Request, RouteAction
from gateway.execute.reply import Reply
from gateway.ledger.fee import fee_of
from gateway.ledger.terms import Terms
from gateway.pipeline import Served
from gateway.record.record import Stages
from tests.gateway.api.test_cache_headers import HIT
from tests.gateway.scan.verdicts import CLEAN, EVERYTHING

MINI = Deployment(
    id="openai/gpt-4o-mini",
    model="gpt-4o-mini",
    provider="openai",
    upstream_model="gpt-4o-mini",
    dialect="openai_chat",
    base_url="http://127.0.0.1",
    api_key="secret",
    model_class=ModelClass.EFFICIENT,
    capabilities=Capability.CHAT,
    context_tokens=128_000,
    output_tokens_max=16_384,
    price=Price(input=0, output=0, cache_read=0, cache_write=0),
)
HAIKU = msgspec.structs.replace(
    MINI, id="anthropic/claude-haiku", model="claude-haiku", provider="anthropic"
)
ROUTED = Decision(
    action=RouteAction.AUTO,
    mode="balanced",
    ranking=("openai/gpt-4o-mini", "anthropic/claude-haiku"),
    model="gpt-4o-mini",
    provider="openai",
    original_model="gpt-4",
    original_provider="azure",
    routed=True,
    reason="low tier → an efficient model is enough",
    rule="cheap-chat",
    task_type="Closed QA",
    confidence=0.913,
    complexity=0.2149,
    tier="low",
    stage="first-stage",
    tokens_in=1200,
    tokens_out=300,
    cost_original_nano_usd=500_000_000,
    cost_nano_usd=50_000_000,
    quality=0.9,
    within_cost_limit=True,
    provider_healthy=True,
    versions=Versions(policy="p", fleet="f", view="v", classifier="c"),
    seed=1,
)
KEPT = msgspec.structs.replace(
    ROUTED, action=RouteAction.DISABLED, model="gpt-4", provider="azure", routed=False
)
FAILED = Attempt("openai/gpt-4o-mini", 0.0, 0.1, 503, Failure.BROKEN, message="your prompt: secret")


def request(families=(), *, path="/v1/chat/completions", provider=None, warnings=()):
    """A request that spoke these families."""
    return Request(
        id="req_1",
        kind=Kind.CHAT,
        dialect="openai_chat",
        path=path,
        body=b"{}",
        chat=Chat(model="gpt-4", turns=()),
        controls=Controls(families=families, warnings=warnings),
        principal=Principal(),
        provider=provider,
        headers=(),
        arrived_s=0.0,
        deadline_s=60.0,
    )


COMPRESSED = CompressionSummary("compact", 1, 100, 60, 25, 15)


def view(fleet=(MINI, HAIKU)):
    """What is read of a fleet's view: which deployment a name stands for."""
    rows = {one.id: SimpleNamespace(rows=(row,)) for row, one in enumerate(fleet)}
    return SimpleNamespace(
        rows=SimpleNamespace(find=rows.get, fleet=SimpleNamespace(deployments=fleet))
    )


BILL = SimpleNamespace(
    terms=Terms(credits=True),
    reserved_nano_usd=5_000_000,
    deducted_nano_usd=1_200_000,
    balance_nano_usd=9_998_800_000,
    on_credits=True,
)


def headers(
    asked,
    decision=ROUTED,
    answered=MINI,
    attempts=(),
    warnings=(),
    verdict=None,
    error=None,
    fleet=(MINI, HAIKU),
    cache=None,
    bill=None,
):
    """The headers of a reply by *answered*, None for an error; each name must be unique."""
    chosen = Chosen(
        reading=SimpleNamespace(verdict=verdict),
        view=view(fleet),
        policy=None,
        decision=decision,
        fee=fee_of(decision, 0.05),
        stages=Stages(0.0, 0.0, 0.0, 0.0, added_s=0.00345),
        compression=None if verdict is None else COMPRESSED,
    )
    reply = None
    if answered is not None:
        reply = Reply(200, "application/json", (), answered, attempts, warnings=warnings)
    found = reply_headers(asked, Served(chosen, reply, error, cache=cache, bill=bill))
    assert len({name.lower() for name, _ in found}) == len(found)
    return dict(found)


def test_ours():
    """The whole explanation of a routed reply."""
    assert headers(request()) == {
        "X-Switchyard-Request-Id": "req_1",
        "X-Switchyard-Route-Enabled": "true",
        "X-Switchyard-Selected-Model": "gpt-4o-mini",
        "X-Switchyard-Selected-Provider": "openai",
        "X-Switchyard-Overhead-Ms": "3.45",
        "X-Switchyard-Attempts": "1",
        "X-Switchyard-Task-Confidence": "0.91",
        "X-Switchyard-Tier": "low",
        "X-Switchyard-Classifier": "first-stage",
        "X-Switchyard-Mode": "balanced",
        "X-Switchyard-Rule": "cheap-chat",
        "X-Switchyard-Task-Type": "Closed QA",
        "X-Switchyard-Complexity": "0.21",
        "X-Switchyard-Routing-Reason": "low tier -> an efficient model is enough",
        "X-Switchyard-Original-Model": "gpt-4",
        "X-Switchyard-Original-Provider": "azure",
        "X-Switchyard-Estimated-Savings": "0.45",
        "X-Switchyard-Estimated-Original-Cost": "0.5",
        "X-Switchyard-Estimated-Routed-Cost": "0.05",
        "X-Switchyard-Estimated-Input-Tokens": "1200",
        "X-Switchyard-Estimated-Output-Tokens": "300",
        "X-Switchyard-Routing-Fee-Reserved": "0.0225",
        "X-Switchyard-Routing-Fee-Reason": "5 % of the estimated savings",
    }


def test_ours_without_routing():
    """Nothing was decided, so nothing is explained but who answered."""
    assert headers(request(), KEPT, msgspec.structs.replace(MINI, model="gpt-4")) == {
        "X-Switchyard-Request-Id": "req_1",
        "X-Switchyard-Route-Enabled": "false",
        "X-Switchyard-Selected-Model": "gpt-4",
        "X-Switchyard-Selected-Provider": "openai",
        "X-Switchyard-Overhead-Ms": "3.45",
        "X-Switchyard-Attempts": "1",
    }


def test_lockllm_reads_every_field_of_a_routed_reply():
    """The published client's own parser is the contract."""
    asked = request(("lockllm",), path="/v1/proxy/openai/chat/completions", provider="openai")

    told = parse_proxy_metadata(headers(asked) | {"x-request-id": "mine"})

    assert told.routing is not None
    assert told.routing.enabled is True
    assert told.routing.task_type == "Closed QA"
    assert told.routing.complexity == 0.21
    assert told.routing.selected_model == "gpt-4o-mini"
    assert told.routing.routing_reason == "low tier -> an efficient model is enough"
    assert told.routing.original_provider == "azure"
    assert told.routing.original_model == "gpt-4"
    assert told.routing.estimated_savings == 0.45
    assert told.routing.estimated_original_cost == told.estimated_original_cost == 0.5
    assert told.routing.estimated_routed_cost == told.estimated_routed_cost == 0.05
    assert told.routing.estimated_input_tokens == told.estimated_input_tokens == 1200
    assert told.routing.estimated_output_tokens == told.estimated_output_tokens == 300
    assert told.routing.routing_fee_reason == "5 % of the estimated savings"
    assert told.routing_fee_reserved == 0.0225
    assert told.routing_fee_reason == "5 % of the estimated savings"
    assert told.request_id == "mine"
    assert told.credits_mode == "byok"
    assert told.provider == "openai"
    assert told.model == "gpt-4o-mini"


def test_lockllm_is_not_told_that_anything_was_scanned():
    """A client that trusts ``safe`` must not see it before there is a scan."""
    told = parse_proxy_metadata(headers(request(("lockllm",))))

    assert told.scanned is False
    assert told.safe is False
    assert told.label is None


def test_lockllm_without_routing():
    """Disabled means no routing metadata at all, but the group of every reply."""
    told = headers(request(("lockllm",)), KEPT)

    assert parse_proxy_metadata(told).routing is None
    assert [name for name in told if name.startswith("X-LockLLM-")] == [
        "X-LockLLM-Scanned",
        "X-LockLLM-Credits-Mode",
        "X-LockLLM-Provider",
        "X-LockLLM-Model",
    ]


@pytest.mark.parametrize(
    ("path", "provider", "simulated", "mode"),
    [
        ("/v1/proxy/openai/chat/completions", "openai", False, "byok"),
        ("/v1/proxy/openai/chat/completions", "openai", True, "lockllm_credits"),
        ("/v1/proxy/chat/completions", None, False, "lockllm_credits"),
        ("/v1/chat/completions", None, False, "byok"),
    ],
)
def test_lockllm_credits_mode(path, provider, simulated, mode):
    """Credits pay where no provider key of the operator's is named or needed, blocked or not."""
    answered = msgspec.structs.replace(MINI, simulated=simulated)
    asked = request(("lockllm",), path=path, provider=provider)
    error = AttackBlocked("no", {})
    blocked = headers(asked, answered=None, fleet=(answered, HAIKU), error=error)

    assert parse_proxy_metadata(headers(asked, answered=answered)).credits_mode == mode
    assert parse_proxy_metadata(blocked).credits_mode == mode


def test_other_families_still_get_our_core():
    """Who answered is told in our words on every reply, the explanation only in theirs."""
    told = headers(request(("prism",)))

    assert told["X-Prism-Model"] == "gpt-4o-mini"
    assert told["X-Prism-Task-Type"] == "simple"
    assert told["X-Switchyard-Selected-Model"] == "gpt-4o-mini"
    assert "X-Switchyard-Task-Type" not in told
    assert not [name for name in told if name.startswith("X-LockLLM-")]


def test_a_family_without_headers_gets_ours():
    """NeuralRouting tells in the body only."""
    assert headers(request(("neuralrouting",))) == headers(request())


def test_prism_without_routing():
    """Nothing was judged, so there is no kind of work to show."""
    assert "X-Prism-Task-Type" not in headers(request(("prism",)), KEPT)


def test_several_families():
    """Each gets its own."""
    told = headers(request(("switchyard", "lockllm", "prism")))

    assert told["X-Switchyard-Task-Type"] == told["X-LockLLM-Task-Type"] == "Closed QA"
    assert told["X-Prism-Task-Type"] == "simple"


def test_observed():
    """What would have been chosen is told to us, and LockLLM knows no such action."""
    observed = msgspec.structs.replace(
        KEPT, action=RouteAction.OBSERVE, would="gpt-4o-mini", rule=None
    )
    told = headers(request(("switchyard", "lockllm")), observed)

    assert told["X-Switchyard-Would-Model"] == "gpt-4o-mini"
    assert told["X-Switchyard-Route-Enabled"] == "false"
    assert told["X-Switchyard-Task-Type"] == "Closed QA"
    assert "X-Switchyard-Rule" not in told
    assert "X-LockLLM-Route-Enabled" not in told


def test_a_virtual_model_has_no_original():
    """There was no model to change, and nothing to compare the cost with."""
    chosen = msgspec.structs.replace(
        ROUTED, original_model=None, original_provider=None, cost_original_nano_usd=None
    )
    told = headers(request(), chosen)

    assert "X-Switchyard-Original-Model" not in told
    assert "X-Switchyard-Estimated-Original-Cost" not in told
    assert told["X-Switchyard-Estimated-Savings"] == "0"


def test_a_fallback_says_who_and_why():
    """Never in the upstream's words, which may quote the prompt."""
    told = headers(request(), answered=HAIKU, attempts=(FAILED,))

    assert told["X-Switchyard-Selected-Model"] == "claude-haiku"
    assert told["X-Switchyard-Attempts"] == "2"
    assert (
        told["X-Switchyard-Fallback"] == "anthropic/claude-haiku: openai/gpt-4o-mini broken (503)"
    )


def test_a_skipped_deployment_is_a_fallback_too():
    """Its breaker opened between the decision and the attempt."""
    told = headers(request(), answered=HAIKU)

    assert (
        told["X-Switchyard-Fallback"]
        == "anthropic/claude-haiku: openai/gpt-4o-mini was not available"
    )


def test_the_successful_attempt_counts_once():
    """Whether it is among the attempts, because it has ended, or not, because it streams."""
    done = Attempt("openai/gpt-4o-mini", 0.0, 0.1, 200, None)

    assert headers(request(), attempts=(done,))["X-Switchyard-Attempts"] == "1"
    assert headers(request(), attempts=())["X-Switchyard-Attempts"] == "1"


def test_simulated():
    """Nobody shall take an invented answer for a real one."""
    told = headers(request(), answered=msgspec.structs.replace(MINI, simulated=True))

    assert told["X-Switchyard-Simulated"] == "true"


def test_warnings_come_from_all_stages():
    """Controls, decision and translation each have their say."""
    decision = msgspec.structs.replace(ROUTED, warnings=("uncertain, kept",))
    told = headers(
        request(warnings=("x-prism-turbo: unknown",)), decision, warnings=("dropped;unsupported;n",)
    )

    assert (
        told["X-Switchyard-Warnings"]
        == "x-prism-turbo: unknown, uncertain; kept, dropped;unsupported;n"
    )


def test_an_error_tells_of_its_decision():
    """Nobody answered: the headers name who should have, and how often it was tried."""
    told = headers(request(("lockllm",)), answered=None)

    assert told["X-Switchyard-Selected-Model"] == told["X-LockLLM-Model"] == "gpt-4o-mini"
    assert told["X-Switchyard-Attempts"] == "0"


def test_names_cannot_break_out_of_their_header():
    """A client's model name may hold anything that JSON can."""
    decision = msgspec.structs.replace(ROUTED, original_model="gpt\r\nSet-Cookie: x=1\x00模")

    for value in headers(request(("switchyard", "lockllm", "prism")), decision).values():
        assert value.isascii()
        assert value.isprintable()


def test_pages_may_read_every_header():
    """A header that is not exposed does not exist for a browser."""
    families = ("switchyard", "lockllm", "prism")
    decision = msgspec.structs.replace(ROUTED, would="x", warnings=("w",))
    answered = msgspec.structs.replace(HAIKU, simulated=True)
    error = AttackBlocked("no", {})
    failed = {"verdict": EVERYTHING, "error": error, "cache": Note(Status.BYPASS, "tools")}
    sent = set(headers(request(families), decision, answered, (FAILED,), **failed))
    sent |= set(headers(request(families), cache=HIT, bill=BILL))

    listed = {name for family in families for name in EXPOSED_BY_FAMILY[family]}
    assert sent == listed
    assert listed < set(EXPOSED.split(", "))


def test_credits_are_told_in_usd():
    """What was reserved, what it took, and what is left; nothing to tenants without a balance."""
    told = headers(request(("lockllm",)), bill=BILL)

    assert told["X-LockLLM-Credits-Mode"] == "lockllm_credits"
    assert told["X-LockLLM-Credits-Reserved"] == "0.005"
    assert told["X-LockLLM-Credits-Deducted"] == "0.0012"
    assert told["X-LockLLM-Balance-After"] == "9.9988"
    assert told["X-Switchyard-Credits-Mode"] == "credits"
    assert "X-LockLLM-Balance-After" not in headers(request(("lockllm",)))
    assert "X-Switchyard-Credits-Mode" not in headers(request(("lockllm",)))


@pytest.mark.parametrize(("paid", "mode"), [(True, "credits"), (False, "byok"), (None, None)])
def test_who_pays_is_told_in_our_words(paid, mode):
    """Nothing where nobody was asked, as for a kept answer."""
    told = headers(request(), bill=SimpleNamespace(**{**vars(BILL), "on_credits": paid}))

    assert told.get("X-Switchyard-Credits-Mode") == mode
    assert told["X-Switchyard-Credits-Reserved"] == "0.005"


def test_a_hit_was_no_attempt():
    """Nobody was asked, so nobody failed, also where another deployment had made the answer."""
    told = headers(request(("lockllm", "switchyard")), answered=HAIKU, cache=HIT)

    assert told["X-Switchyard-Attempts"] == "0"
    assert told["X-Switchyard-Selected-Model"] == "claude-haiku"
    assert told["X-Switchyard-Cache-Status"] == told["X-LockLLM-Cache-Status"] == "HIT"
    assert "X-Switchyard-Fallback" not in told


def test_a_safe_prompt_is_called_safe():
    """What LockLLM's client reads of a scan that found nothing."""
    sent = dict(headers(request(("lockllm",)), verdict=CLEAN).items())
    told = parse_proxy_metadata(sent)

    assert (told.scanned, told.safe, told.label, told.scan_mode) == (True, True, 0, "combined")
    assert told.sensitivity == "medium"
    assert told.policy_confidence == 100.0
    assert told.scan_warning is None
    assert not told.pii_detected.detected


def test_everything_that_was_found_is_told():
    """Each group of LockLLM's, with its detail, and never a word of the prompt."""
    sent = dict(headers(request(("lockllm",)), verdict=EVERYTHING).items())
    told = parse_proxy_metadata(sent)

    assert (told.safe, told.label) == (False, 1)
    assert told.scan_warning.injection_score == 98.7
    assert told.scan_detail["findings"][0]["id"] == "injection.override.en"
    assert told.policy_warnings.count == 1
    assert told.policy_detail[0]["violated_categories"] == [
        {"name": "dosage"},
        {"name": "diagnosis"},
    ]
    assert told.abuse_detected.types == "flood"
    assert told.abuse_detail["recommendation"] == "Limit the request rate of this key."
    assert told.pii_detected.entity_types == "EMAIL_ADDRESS"
    assert told.pii_detected.entity_count == 1
    assert told.compression.applied
    assert told.compression.ratio == 0.6


def test_our_family_counts_what_was_found():
    """One line for a log: kinds and how often."""
    found = headers(request(("switchyard",)), verdict=EVERYTHING)

    assert found["X-Switchyard-Safe"] == "false"
    assert found["X-Switchyard-Findings"] == (
        "injection=1, EMAIL_ADDRESS=1, policy:medical=1, abuse:flood=1"
    )
    assert found["X-Switchyard-Redacted"] == "1"


def test_a_scan_that_failed_says_nothing_of_the_prompt():
    """Neither safe nor unsafe: nobody knows."""
    missing = msgspec.structs.replace(CLEAN, missing=True)
    found = headers(request(("lockllm", "switchyard")), verdict=missing)

    assert found["X-LockLLM-Scanned"] == "false"
    assert found["X-Switchyard-Safe"] == "unknown"
    assert "X-LockLLM-Safe" not in found
