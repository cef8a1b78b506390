"""Records as lines of a table, for lists and for files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec

from gateway.core.money import NANO_USD_PER_USD
from gateway.record.record import Record

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A record as one line of a table. Money is in USD, times are in seconds."""

    request_id: str
    wall_s: float
    tenant: str
    project: str
    key_id: str
    path: str
    asked_model: str
    action: str
    mode: str
    task_type: str
    confidence: float
    complexity: float
    tier: str
    stage: str
    rule: str
    routed: bool
    decided_model: str
    provider: str
    model: str
    deployment: str
    reason: str
    ending: str
    status: int
    error: str
    attempts: int
    cached: bool
    tokens_in: int
    tokens_out: int
    cost_usd: float
    savings_usd: float
    fee_usd: float
    added_s: float
    ttft_s: float | None
    duration_s: float
    findings: str


def flat(record: Record) -> Line:
    """*record* as one line of a table."""
    decision, outcome, usage = record.decision, record.outcome, record.outcome.usage
    return Line(
        request_id=record.request_id,
        wall_s=record.wall_s,
        tenant=record.principal.tenant,
        project=record.principal.project,
        key_id=record.principal.key_id,
        path=record.path,
        asked_model=record.question.model,
        action=decision.action.value,
        mode=decision.mode,
        task_type=decision.task_type,
        confidence=decision.confidence,
        complexity=decision.complexity,
        tier=decision.tier,
        stage=decision.stage,
        rule=decision.rule or "",
        routed=decision.routed,
        decided_model=decision.model,
        provider=decision.provider,
        model=record.model,
        deployment=outcome.deployment,
        reason=decision.reason,
        ending=outcome.ending.value,
        status=outcome.status,
        error=outcome.error,
        attempts=len(outcome.attempts),
        cached=outcome.saved is not None,
        tokens_in=decision.tokens_in if usage is None else usage.tokens_in,
        tokens_out=0 if usage is None else usage.tokens_out,
        cost_usd=record.cost_nano_usd / NANO_USD_PER_USD,
        savings_usd=record.savings_nano_usd / NANO_USD_PER_USD,
        fee_usd=record.fee_settled_nano_usd / NANO_USD_PER_USD,
        added_s=record.stages.added_s,
        ttft_s=outcome.ttft_s,
        duration_s=outcome.duration_s,
        findings=" ".join(sorted(kinds_found(record))),
    )


def cells(record: Record) -> list[object]:
    """*record* as a line of CSV."""
    return [plain_cell(cell) for cell in msgspec.structs.astuple(flat(record))]


def plain_cell(cell: object) -> object:
    """*cell* so that no spreadsheet takes what a client wrote for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def csv_text(lines: Sequence[Sequence[object]]) -> bytes:
    """*lines* as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def kinds_found(record: Record) -> set[str]:
    """What the scan found, by kind and by name."""
    verdict = record.verdict
    if verdict is None:
        return set()
    found = {one for f in (*verdict.findings, *verdict.personal) for one in (f.kind, f.id)}
    found.update(violation.policy for violation in verdict.violations)
    if verdict.attacked and verdict.attack:
        found.add(verdict.attack)
    if verdict.abuse is not None and verdict.abuse.detected:
        found.update(("abuse", *verdict.abuse.types))
    return found
