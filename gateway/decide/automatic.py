"""Choose by the mode: the best trade-off among the models that promise enough for the prompt."""

from __future__ import annotations

import msgspec

from gateway.config.schema import Mode
from gateway.decide import reasons
from gateway.decide.case import BEST, CHEAPEST, Case, ranked
from gateway.decide.choice import Choice, line_up
from gateway.decide.lack import ANY, AVAILABLE_OR_NOT, SOFT
from gateway.decide.policy import UNLIMITED_NANO_USD
from gateway.decide.refuse import refusal


class Aim(msgspec.Struct, frozen=True):
    """
    What to look for. *explicit*: the client itself gave a minimum of quality or a budget, which
    replaces the floor of the mode (as a limit it is marked in ``Case.lacks``).
    """

    goal: Mode
    floor: float
    may_cost_more: bool  # than the client's own model
    explicit: bool


def aim_of(case: Case, mode: Mode) -> Aim:
    """
    The aim of *mode* for this prompt; the client's own numbers come first: the cheapest that
    meets its minimum of quality, else the best within its budget.
    """
    controls, tier = case.question.controls, case.ask.tier_assumed
    if controls.quality_min is not None:
        return Aim(goal=CHEAPEST, floor=0.0, may_cost_more=True, explicit=True)
    if controls.cost_usd_max is not None:
        return Aim(goal=BEST, floor=0.0, may_cost_more=True, explicit=True)
    floors = mode.floors
    floor = {"low": floors.low, "medium": floors.medium, "high": floors.high}[tier]
    premium = tier == "high" and case.policy.high_tier == "premium"
    return Aim(goal=mode, floor=floor, may_cost_more=mode.may_cost_more or premium, explicit=False)


def automatic(case: Case, mode_name: str, *, ruled: bool = False) -> Choice:
    """
    Choose by the mode *mode_name*. Where the client named a model that may serve, it stays unless
    another one is the better trade-off, and costs less; *ruled*: a rule asked for the mode, so
    nothing is kept out of caution.

    Raises:
        PolicyError: no deployment may serve the request.
    """
    aim = aim_of(case, case.policy.modes[mode_name])
    if not case.own:
        return instead(case, aim, mode_name)
    first, everyone = case.own[0], case.view.rows.everyone
    keep = "" if ruled else keep_reason(case, aim)
    cap_nano_usd = UNLIMITED_NANO_USD if aim.may_cost_more else case.cost(first) - 1
    best = ranked(case, everyone, aim.goal, floor=aim.floor, cap_nano_usd=cap_nano_usd)
    if keep or not best or same_again(case, first, best[0]):
        winner = first
        why = reasons.kept(case, first, keep, aim.floor, may_cost_more=aim.may_cost_more)
    else:
        winner = best[0]
        why = reasons.chosen(case, winner, explicit=aim.explicit)
    return Choice(
        ranking=line_up(case, winner, [*best, *case.own], UNLIMITED_NANO_USD),
        why=why,
        mode_name=mode_name,
        floor=aim.floor,
        cap_nano_usd=cap_nano_usd,
    )


def same_again(case: Case, own: int, best: int) -> bool:
    """Whether *best* is the client's own model at no better price: no reason to leave its place."""
    return case.model(best) == case.model(own) and case.cost(best) >= case.cost(own)


def keep_reason(case: Case, aim: Aim) -> str:
    """Why the client's own model is not to be questioned, as the beginning of a sentence; or ""."""
    ask = case.ask
    if ask.doubt and (case.policy.uncertain == "keep" or case.scores.stage == "none"):
        return ask.doubt
    if case.signals.agent_continuation:
        return "In the middle of an agent's loop"
    if aim.explicit or not aim.goal.keep_high:
        return ""
    if ask.tier == "high" and case.policy.high_tier == "own":
        return reasons.subject(case)
    if ask.task == "Code Generation" and ask.tier == "medium":
        return reasons.subject(case)
    return ""


def instead(case: Case, aim: Aim, mode_name: str) -> Choice:
    """
    Choose without a model of the client's: it named none, or it may not serve the request.

    What is asked for is given up step by step: the floor of the mode, what only our catalogue
    says against the client's own model, at last the wish for a healthy deployment.
    """
    everyone = case.view.rows.everyone
    asked = everyone[:0] if case.ask.own is None else case.ask.own.rows
    best = ranked(case, everyone, aim.goal, floor=aim.floor)
    found = (
        best
        or ranked(case, everyone, BEST)
        or ranked(case, asked, aim.goal, forbidden=ANY & ~SOFT)
        or ranked(case, everyone, aim.goal, floor=aim.floor, forbidden=AVAILABLE_OR_NOT)
        or ranked(case, everyone, BEST, forbidden=AVAILABLE_OR_NOT)
        or ranked(case, asked, aim.goal, forbidden=AVAILABLE_OR_NOT & ~SOFT)
    )
    if not found:
        raise refusal(case, everyone)
    return Choice(
        ranking=line_up(case, found[0], found, UNLIMITED_NANO_USD),
        why=reasons.instead(case, found[0], aim.floor, explicit=aim.explicit),
        mode_name=mode_name,
        floor=aim.floor if best else 0.0,
        notes=reasons.overlooked(case, found[0]),
    )
