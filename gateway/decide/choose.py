"""
Choose a deployment and the order of failover: one function per way to choose, tried in the order
of ``routed``. One that has nothing to say returns None.
"""

from __future__ import annotations

import msgspec

from gateway.core.money import NANO_USD_PER_USD, nano_usd, usd_text
from gateway.core.request import RouteAction
from gateway.decide import reasons
from gateway.decide.automatic import aim_of, automatic
from gateway.decide.case import BEST, Case, ranked
from gateway.decide.choice import Choice, line_up
from gateway.decide.fleet_view import Ints
from gateway.decide.lack import ANY, AVAILABLE_OR_NOT, SOFT_AS_ASKED
from gateway.decide.policy import UNLIMITED_NANO_USD, PolicyRule
from gateway.decide.refuse import refusal
from gateway.decide.rules import Facts, first_match


def as_asked(case: Case) -> Choice:
    """
    The client's own model, with failover among its deployments only.

    Raises:
        PolicyError: operator or client forbid every deployment of it.
    """
    own = case.ask.own
    if own is None:
        raise ValueError("A virtual model has nothing to be served as. This is a bug.")
    ranking = list(case.own)
    for kept in (ANY & ~SOFT_AS_ASKED, AVAILABLE_OR_NOT, AVAILABLE_OR_NOT & ~SOFT_AS_ASKED):
        ranking = ranking or ranked(case, own.rows, case.ask.mode, forbidden=kept)
    if not ranking:
        raise refusal(case, own.rows)
    return Choice(
        ranking=tuple(ranking),
        why=reasons.as_asked(case, ranking[0]),
        mode_name=case.ask.mode_name,
        notes=reasons.overlooked(case, ranking[0]),
    )


def routed(case: Case) -> Choice:
    """
    The first of: the policy's model for the task, the client's pin, the operator's rules, the mode.

    Raises:
        PolicyError: no deployment may serve the request.
    """
    notes: list[str] = []
    choice = forced(case, notes) or pinned(case, notes)
    if choice is None and case.ask.action is not RouteAction.AUTO:
        choice = ruled(case, notes)
    if choice is None:
        choice = automatic(case, case.ask.mode_name)
    return msgspec.structs.replace(choice, notes=(*choice.notes, *notes)) if notes else choice


def forced(case: Case, notes: list[str]) -> Choice | None:
    """The model that the policy forces for this task."""
    task = case.ask.task_known
    model = case.policy.forced.get(task)
    if model is None:
        return None
    return named(case, model, f"The policy forces {model} for {task}.", notes)


def pinned(case: Case, notes: list[str]) -> Choice | None:
    """The model that the client prefers; its own one where that may not serve."""
    model = case.question.controls.prefer_model
    if model is None:
        return None
    choice = named(case, model, f"The client pinned {model}.", notes)
    if choice is not None or case.ask.own is None:
        return choice
    why = f"{notes[-1]} {case.ask.own.model} stays."
    return sent(case, case.ask.own.rows, why, notes)


def named(case: Case, model: str, why: str, notes: list[str]) -> Choice | None:
    """The best deployment of *model*; where none may serve, a note says so."""
    target = case.view.rows.find(model)
    if target is None:
        notes.append(f"{why} No deployment serves it.")
        return None
    return sent(case, target.rows, why, notes)


def ruled(case: Case, notes: list[str]) -> Choice | None:
    """Where the first matching rule sends the request."""
    if not case.policy.rules:
        return None
    rule = first_match(case.policy.rules, facts_of(case), case.signals)
    if rule is None:
        return None
    then = rule.then
    if then.keep or rule.keyless:
        return kept_by(case, rule, notes)
    if then.mode is not None:
        mode_name = case.policy.mode_names.get(then.mode.lower(), case.ask.mode_name)
        usual = automatic(case, mode_name, ruled=True)
        return by(rule, msgspec.structs.replace(usual, why=told(rule, usual.why)))
    if then.best_within_usd is not None:
        return best_within(case, rule, nano_usd(then.best_within_usd), notes)
    rows = case.view.rows.everyone if rule.rows is None else rule.rows
    if then.model is None and then.provider is not None and case.ask.own is not None:
        there = case.view.rows.find(case.ask.own.model, then.provider)
        rows = rows if there is None else there.rows
    why = told(rule, f"it sends this to {then.model or then.provider}.")
    choice = sent(case, rows, why, notes)
    if choice is None and then.own_key:
        return kept_by(case, rule, notes)
    return by(rule, choice)


def kept_by(case: Case, rule: PolicyRule, notes: list[str]) -> Choice | None:
    """The client's own model, because *rule* says so or the key that it asks for is missing."""
    why = "its target has no key of its own" if rule.then.own_key else "it keeps the model"
    if case.ask.own is None:
        notes.append(f"Rule {rule.id}: {why}, and the request names none.")
        return None
    why = told(rule, f"{why}: {case.ask.own.model}.")
    return by(rule, sent(case, case.ask.own.rows, why, notes))


def best_within(
    case: Case, rule: PolicyRule, most_nano_usd: int, notes: list[str]
) -> Choice | None:
    """The best model that costs at most *most_nano_usd*."""
    rows = case.view.rows.everyone if rule.rows is None else rule.rows
    first = ranked(case, rows, BEST, cap_nano_usd=most_nano_usd)
    if not first:
        notes.append(
            f"Rule {rule.id}: no model within {usd_text(most_nano_usd)} USD may serve this."
        )
        return None
    why = f"{case.model(first[0])} is the best within {usd_text(most_nano_usd)} USD."
    return Choice(
        ranking=line_up(case, first[0], first, most_nano_usd),
        why=told(rule, why),
        mode_name=case.ask.mode_name,
        rule=rule.id,
        cap_nano_usd=most_nano_usd,
    )


def sent(case: Case, rows: Ints, why: str, notes: list[str]) -> Choice | None:
    """The best of *rows*; where none may serve, a note says so."""
    first = ranked(case, rows, case.ask.mode)
    if not first:
        notes.append(f"{why} {reasons.cannot_serve(case, rows)}")
        return None
    aim = aim_of(case, case.ask.mode)
    others = ranked(case, case.view.rows.everyone, aim.goal, floor=aim.floor)
    return Choice(
        ranking=line_up(case, first[0], [*first, *others, *case.own], UNLIMITED_NANO_USD),
        why=why,
        mode_name=case.ask.mode_name,
    )


def told(rule: PolicyRule, why: str) -> str:
    """The operator's own reason for *rule*, else *why*."""
    return f"Rule {rule.id}: {rule.reason or why}"


def by(rule: PolicyRule, choice: Choice | None) -> Choice | None:
    """*choice*, signed by the rule that made it."""
    return None if choice is None else msgspec.structs.replace(choice, rule=rule.id)


def facts_of(case: Case) -> Facts:
    """What rules may ask of this request beside its signals."""
    ask, original, named_as = case.ask, case.original, case.question.model.lower()
    return Facts(
        task_type=ask.task_known.lower(),
        tier=ask.tier,
        complexity=case.scores.complexity,
        cost_usd=None if original is None else original.cost_nano_usd / NANO_USD_PER_USD,
        label=ask.label,
        models=(named_as,) if ask.own is None else (named_as, ask.own.model.lower()),
        metadata=case.question.controls.metadata,
    )
