"""
The headers that explain a reply, in every family that its request spoke; ours if it spoke none.

Which model answered, and what went wrong on the way, our family tells on every reply. The rest of
it, like LockLLM's routing group, is told where something was decided: not for ``disabled``.
Headers leave before the first byte of the answer, so costs and tokens are the estimates of the
decision, for the model it chose, also where a failover made another one answer.
"""

from __future__ import annotations

from gateway.api.cache_headers import (
    LOCKLLM_CACHE_NAMES,
    OUR_CACHE_NAMES,
    lockllm_cache_headers,
    our_cache_headers,
)
from gateway.api.credit_headers import (
    CREDIT_NAMES,
    OUR_MODE,
    credit_headers,
    our_credit_headers,
)
from gateway.api.header_text import header_list, header_text
from gateway.api.scan_headers import (
    LOCKLLM_SCAN_NAMES,
    OUR_SCAN_NAMES,
    lockllm_scan_headers,
    our_scan_headers,
)
from gateway.api.vocabulary import prism_kind
from gateway.core.decision import Decision
from gateway.core.errors import ContentError
from gateway.core.families import LOCKLLM, PRISM, SWITCHYARD
from gateway.core.fleet import Deployment
from gateway.core.money import usd_text
from gateway.core.outcome import Attempt
from gateway.core.request import Controls, Request, RouteAction
from gateway.execute.reply import Reply
from gateway.ledger.fee import Fee
from gateway.pipeline import Served

Headers = list[tuple[str, str]]

OURS = "X-Switchyard-"
THEIRS = "X-LockLLM-"
WITH_HEADERS = frozenset((LOCKLLM, PRISM))  # NeuralRouting's replies have none of their own
UNIVERSAL_PATH = "/v1/proxy/"  # without a provider in it: LockLLM's endpoint on credits

CORE_NAMES = (
    "Request-Id",
    "Route-Enabled",
    "Selected-Model",
    "Selected-Provider",
    "Overhead-Ms",
    "Attempts",
    "Fallback",
    "Simulated",
    "Warnings",
)
ROUTING_NAMES = (  # the same in both families
    "Task-Type",
    "Complexity",
    "Routing-Reason",
    "Original-Provider",
    "Original-Model",
    "Estimated-Savings",
    "Estimated-Original-Cost",
    "Estimated-Routed-Cost",
    "Estimated-Input-Tokens",
    "Estimated-Output-Tokens",
    "Routing-Fee-Reserved",
    "Routing-Fee-Reason",
)
OWN_NAMES = ("Task-Confidence", "Tier", "Classifier", "Mode", "Rule", "Would-Model")
LOCKLLM_NAMES = ("Scanned", "Credits-Mode", "Provider", "Model", "Route-Enabled", "Selected-Model")
SHARED_NAMES = (
    "x-request-id",
    "request-id",
    "x-should-retry",
    "retry-after",
    "retry-after-ms",
)

EXPOSED_BY_FAMILY: dict[str, tuple[str, ...]] = {
    "": SHARED_NAMES,
    SWITCHYARD: (
        "Age",
        *(
            OURS + name
            for name in (
                *(CORE_NAMES + OWN_NAMES + ROUTING_NAMES),
                *(OUR_SCAN_NAMES + OUR_CACHE_NAMES + CREDIT_NAMES),
                OUR_MODE,
            )
        ),
    ),
    LOCKLLM: (
        "X-Scan-Mode",
        *(
            THEIRS + name
            for name in (
                *(LOCKLLM_NAMES + ROUTING_NAMES + CREDIT_NAMES),
                *(LOCKLLM_SCAN_NAMES + LOCKLLM_CACHE_NAMES),
            )
        ),
    ),
    PRISM: ("X-Prism-Model", "X-Prism-Task-Type"),
}
# Access-Control-Expose-Headers: what a page on another origin may read. A star would not do: with
# credentials browsers take it for a name.
EXPOSED = ", ".join(name for names in EXPOSED_BY_FAMILY.values() for name in names)


def reply_headers(request: Request, served: Served) -> Headers:
    """The headers of the reply to *request* that tell of its decision; all values are ASCII."""
    decision, reply = served.chosen.decision, served.reply
    families = request.controls.families
    explained = SWITCHYARD in families or not WITH_HEADERS.intersection(families)
    answered = reply.deployment if reply is not None else None
    headers = _core(request, decision, answered, served.chosen.stages.added_s)
    hit = served.cache is not None and served.cache.saved is not None
    if reply is not None:
        headers += _way(decision, reply, hit=hit)
    else:
        headers.append(("X-Switchyard-Attempts", str(served.attempts)))
    warnings = request.controls.warnings + decision.warnings
    if served.chosen.reading.verdict is None:
        warnings += unscanned(request.controls)
    if reply is not None:
        warnings += reply.warnings
    if warnings:
        headers.append((OURS + "Warnings", header_list(warnings)))
    if explained and decision.action is not RouteAction.DISABLED:
        headers += _own(decision)
        headers += _routing(OURS, decision, served.chosen.fee)
    verdict, compression = served.chosen.reading.verdict, served.chosen.compression
    if verdict is not None:
        headers += our_scan_headers(verdict, compression)
    headers += our_cache_headers(served.cache)
    headers += our_credit_headers(OURS, served.bill)
    if LOCKLLM in families:
        headers += lockllm_cache_headers(served.cache)
        stopped = isinstance(served.error, ContentError)
        headers += lockllm_scan_headers(verdict, compression, blocked=stopped)
        headers += credit_headers(THEIRS, served.bill)
        on_credits = _is_on_credits(request, served)
        headers += _lockllm(decision, answered, on_credits=on_credits)
        if _active(decision):
            headers += _routing(THEIRS, decision, served.chosen.fee)
    if PRISM in families:
        headers += _prism(decision, answered)
    return headers


def unscanned(controls: Controls) -> tuple[str, ...]:
    """What a client wanted of a scan that there was not."""
    wanted = {
        "Scan-Action": controls.scan_action,
        "Policy-Action": controls.policy_action,
        "Abuse-Action": controls.abuse_action,
        "PII-Action": controls.personal_action,
    }
    return tuple(f"{name}: not active, nothing is scanned" for name, said in wanted.items() if said)


def _active(decision: Decision) -> bool:
    """Whether the decision had an effect: it was not only observed."""
    return decision.action in {RouteAction.AUTO, RouteAction.CUSTOM}


def _core(
    request: Request, decision: Decision, answered: Deployment | None, added_s: float
) -> Headers:
    """What is true of every reply, in our family."""
    return [
        ("X-Switchyard-Request-Id", request.id),
        ("X-Switchyard-Route-Enabled", "true" if _active(decision) else "false"),
        ("X-Switchyard-Selected-Model", _model(decision, answered)),
        ("X-Switchyard-Selected-Provider", _provider(decision, answered)),
        ("X-Switchyard-Overhead-Ms", f"{added_s * 1000:.2f}"),
    ]


def _model(decision: Decision, answered: Deployment | None) -> str:
    """Who answered; on an error, who should have."""
    return header_text(decision.model if answered is None else answered.model)


def _provider(decision: Decision, answered: Deployment | None) -> str:
    return header_text(decision.provider if answered is None else answered.provider)


def _way(decision: Decision, reply: Reply, *, hit: bool) -> Headers:
    """What happened between the decision and the answer; nothing on a *hit* of the cache."""
    failed = [attempt for attempt in reply.attempts if attempt.failure is not None]
    headers = [("X-Switchyard-Attempts", "0" if hit else str(len(failed) + 1))]
    if not hit and decision.ranking and reply.deployment.id != decision.ranking[0]:
        why = "; ".join(map(_ended, failed)) or f"{decision.ranking[0]} was not available"
        headers.append(("X-Switchyard-Fallback", header_text(f"{reply.deployment.id}: {why}")))
    if reply.deployment.simulated:
        headers.append(("X-Switchyard-Simulated", "true"))
    return headers


def _ended(attempt: Attempt) -> str:
    """How a failed attempt ended, without the upstream's words: they may quote the prompt."""
    status = "" if attempt.status is None else f" ({attempt.status})"
    return f"{attempt.deployment} {attempt.failure}{status}"


def _own(decision: Decision) -> Headers:
    """Of a decision, what no other family has a name for."""
    headers = [
        ("X-Switchyard-Task-Confidence", f"{decision.confidence:.2f}"),
        ("X-Switchyard-Tier", decision.tier),
        ("X-Switchyard-Classifier", header_text(decision.stage)),
        ("X-Switchyard-Mode", header_text(decision.mode)),
    ]
    if decision.rule is not None:
        headers.append(("X-Switchyard-Rule", header_text(decision.rule)))
    if decision.would is not None:
        headers.append(("X-Switchyard-Would-Model", header_text(decision.would)))
    return headers


def _routing(prefix: str, decision: Decision, fee: Fee) -> Headers:
    """Of a decision, what our family and LockLLM's have the same names for."""
    headers = [
        (prefix + "Task-Type", header_text(decision.task_type)),
        (prefix + "Complexity", f"{decision.complexity:.2f}"),
        (prefix + "Routing-Reason", header_text(decision.reason)),
        (prefix + "Estimated-Savings", usd_text(decision.savings_nano_usd)),
        (prefix + "Estimated-Routed-Cost", usd_text(decision.cost_nano_usd)),
        (prefix + "Estimated-Input-Tokens", str(decision.tokens_in)),
        (prefix + "Estimated-Output-Tokens", str(decision.tokens_out)),
        (prefix + "Routing-Fee-Reserved", usd_text(fee.amount_nano_usd)),
        (prefix + "Routing-Fee-Reason", header_text(fee.reason)),
    ]
    if decision.cost_original_nano_usd is not None:
        cost = usd_text(decision.cost_original_nano_usd)
        headers.append((prefix + "Estimated-Original-Cost", cost))
    if decision.routed and decision.original_model is not None:
        headers.append((prefix + "Original-Model", header_text(decision.original_model)))
        if decision.original_provider is not None:
            headers.append((prefix + "Original-Provider", header_text(decision.original_provider)))
    return headers


def _is_on_credits(request: Request, served: Served) -> bool:
    """Whether the operator's provider key pays, for LockLLM's clients."""
    bill = served.bill
    if bill is not None and bill.on_credits is not None and bill.terms.credits:
        return bill.on_credits
    if served.reply is not None and any(one.key_id for one in served.reply.attempts[-1:]):
        return False
    return _is_universal(request) or _is_simulated(served)


def _is_universal(request: Request) -> bool:
    """Whether it came to the endpoint that LockLLM serves on credits."""
    return request.provider is None and request.path.startswith(UNIVERSAL_PATH)


def _is_simulated(served: Served) -> bool:
    """Whether nobody's provider key pays: of what answered, else of what would have been asked."""
    if served.reply is not None:
        return served.reply.deployment.simulated
    rows, ranking = served.chosen.view.rows, served.chosen.decision.ranking
    named = rows.find(ranking[0]) if ranking else None
    return named is not None and rows.fleet.deployments[named.rows[0]].simulated


def _lockllm(decision: Decision, answered: Deployment | None, *, on_credits: bool) -> Headers:
    """LockLLM's group for every reply, but for the scan."""
    headers = [
        ("X-LockLLM-Credits-Mode", "lockllm_credits" if on_credits else "byok"),
        ("X-LockLLM-Provider", _provider(decision, answered)),
        ("X-LockLLM-Model", _model(decision, answered)),
    ]
    if _active(decision):
        headers.append(("X-LockLLM-Route-Enabled", "true"))
        headers.append(("X-LockLLM-Selected-Model", _model(decision, answered)))
    return headers


def _prism(decision: Decision, answered: Deployment | None) -> Headers:
    """Prism's two headers; the kind of work only where it decided something."""
    headers = [("X-Prism-Model", _model(decision, answered))]
    if decision.action is not RouteAction.DISABLED:
        headers.append(("X-Prism-Task-Type", prism_kind(decision.task_type, decision.tier)))
    return headers
