"""Why a decision is as it is: the sentences a client and an operator read."""

from __future__ import annotations

from gateway.core.money import usd_text
from gateway.decide.case import Case
from gateway.decide.eligible import sentences
from gateway.decide.fleet_view import Ints
from gateway.decide.lack import SOFT_AS_ASKED


def subject(case: Case) -> str:
    """What was asked: ``Low-complexity Summarization (0.12)``."""
    ask = case.ask
    complexity = f"({case.scores.complexity:.2f})"
    if ask.doubt:
        return f"{ask.doubt}; {ask.tier} complexity {complexity}"
    return f"{ask.tier.capitalize()}-complexity {ask.task} {complexity}"


def chosen(case: Case, row: int, *, explicit: bool) -> str:
    """Why *row* was chosen: what it promises, and its cost beside the client's own model."""
    promise = f"{place(case, row)} promises {case.quality(row):.2f}"
    return f"{subject(case)}: {promise}{aimed(case, explicit=explicit)}, {compared(case, row)}."


def aimed(case: Case, *, explicit: bool) -> str:
    """What the client's own numbers made of the choice."""
    controls = case.question.controls
    if not explicit:
        return ""
    if controls.quality_min is not None:
        return f", is the cheapest of {controls.quality_min:.2f} or more"
    return f", is the best within {usd_text(case.limits.cost_max_nano_usd)} USD"


def compared(case: Case, row: int) -> str:
    """The cost of *row* beside that of the original, which savings are counted against."""
    if case.original is None:
        return f"costs {usd_text(case.cost(row))} USD"
    before, after = case.original.cost_nano_usd, case.cost(row)
    other = case.original.model
    if before == after:
        return f"costs as much as {other}"
    if not before:
        return f"costs more than {other}"
    percent = round(100 * abs(before - after) / before)
    if after < before:
        return f"costs {min(percent, 99) if after else 100} % less than {other}"
    return f"costs {percent} % more than {other}"


def place(case: Case, row: int) -> str:
    """The model of *row*, with its provider where that is the only difference."""
    deployment = case.view.rows.fleet.deployments[row]
    if case.ask.own is not None and case.ask.own.model == deployment.model:
        return f"{deployment.model} at {deployment.provider}"
    return deployment.model


def kept(case: Case, row: int, keep: str, floor: float, *, may_cost_more: bool) -> str:
    """Why the client's own model at *row* stays; *keep* begins the sentence of a cautious one."""
    model = case.model(row)
    if keep:
        return f"{keep}: {model} stays."
    if may_cost_more:
        return f"{subject(case)}: {model} is the best choice already."
    return f"{subject(case)}: no model that promises {floor:.2f} costs less than {model}."


def instead(case: Case, row: int, floor: float, *, explicit: bool) -> str:
    """Why *row* answers where the client named no model, or one that may not serve."""
    why = chosen(case, row, explicit=explicit)
    if case.ask.own is not None:
        why = f"{cannot_serve(case, case.ask.own.rows)} {why}"
    if case.quality(row) < floor:
        why += f" No model promises the {floor:.2f} that was looked for."
    return why + resort(case, row)


def as_asked(case: Case, row: int) -> str:
    """Why *row* answers where routing is off."""
    return f"Routing is off: {case.model(row)} answers as asked.{resort(case, row)}"


def resort(case: Case, row: int) -> str:
    """A further sentence where *row* is down and tried all the same."""
    if case.view.available[row]:
        return ""
    return " Nothing else may serve this, so it is tried although it is unavailable right now."


def cannot_serve(case: Case, rows: Ints) -> str:
    """Why none of *rows* may serve, told of the first."""
    if not rows.size:
        return "No deployment of it is here."
    row = int(rows[0])
    why = sentences(row, int(case.lacks[row]), case.view, case.estimates, case.limits)
    return f"{case.model(row)} {' and '.join(why)}."


def overlooked(case: Case, row: int) -> tuple[str, ...]:
    """Warnings for what our catalogue says against *row*, and did not stop it."""
    lacks = int(case.lacks[row]) & SOFT_AS_ASKED
    why = sentences(row, lacks, case.view, case.estimates, case.limits)
    return tuple(f"{case.model(row)} {sentence}, as far as we know." for sentence in why)
