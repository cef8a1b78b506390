"""What to tell a client whose request no deployment may serve."""

from __future__ import annotations

from gateway.core.errors import CostLimitExceeded, NoEligibleModel, PolicyError
from gateway.core.money import usd_text
from gateway.decide.case import Case
from gateway.decide.eligible import sentences
from gateway.decide.fleet_view import Ints
from gateway.decide.lack import AVAILABLE_OR_NOT, Lack

GRANTED_MAX = 10  # models of the key that are named
TOLD_MAX = 4  # models named in the message: those that lack the least


def refusal(case: Case, rows: Ints) -> PolicyError:
    """The error for a request that none of *rows* may serve."""
    lacks = {int(row): int(case.lacks[row]) & AVAILABLE_OR_NOT for row in rows}
    too_dear = [row for row, lack in lacks.items() if lack == Lack.COST]
    if too_dear:
        cheapest = min(too_dear, key=case.cost_most)
        return CostLimitExceeded(
            f"The cheapest eligible model, {case.model(cheapest)}, may cost"
            f" {usd_text(case.cost_most(cheapest))} USD, more than the limit of"
            f" {usd_text(case.limits.cost_max_nano_usd)} USD."
        )
    told: dict[str, str] = {}  # one deployment speaks for its model
    for row in sorted(lacks, key=lambda row: lacks[row].bit_count()):
        why = sentences(row, lacks[row], case.view, case.estimates, case.limits)
        told.setdefault(case.model(row), ", ".join(why))
    if not told:
        return NoEligibleModel("No deployment may serve this request: there is none.")
    some = [f"{model} {why}" for model, why in list(told.items())[:TOLD_MAX]]
    if len(told) > TOLD_MAX:
        some.append(f"and {len(told) - TOLD_MAX} more models lack as much or more")
    message = f"No deployment may serve this request: {'; '.join(some)}."
    if any(lack & Lack.NOT_GRANTED for lack in lacks.values()):
        granted = case.question.grant.models
        more = f" and {len(granted) - GRANTED_MAX} more" if len(granted) > GRANTED_MAX else ""
        message += f" The key may use {', '.join(granted[:GRANTED_MAX])}{more}."
    return NoEligibleModel(message)
