"""Read what is asked: which model, which action, which mode, which task and tier."""

from __future__ import annotations

import msgspec

from gateway.config.schema import Mode
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, RouteAction
from gateway.core.signals import Signals
from gateway.decide.fleet_view import FleetRows, Named
from gateway.decide.labels import plain, task_of
from gateway.decide.names import find_own, find_pin, no_embedding_named
from gateway.decide.policy import RoutingPolicy
from models.scores import UNASKED, UNSCORED, Scores

# Below both, an ask such as "hi" or "yes, do it" says nothing of the work: two words, and too few
# characters to be a sentence of a script that puts no blanks between words.
SHORT_WORDS, SHORT_CHARS = 3, 24
UNCLASSIFIED = frozenset({UNSCORED.stage, UNASKED.stage})  # stages of scores that are a guess
HINT_CHARS_SHOWN = 40


class Ask(msgspec.Struct, frozen=True, eq=False):
    """
    A question with every name resolved. *own* is the client's own model, None when it named a
    virtual one. *doubt* says why the task type cannot be relied on, "" when it can; *task* is then
    still the classifier's best guess. *label* is the client's hint as rules compare it.
    """

    own: Named | None
    action: RouteAction
    mode_name: str
    mode: Mode
    task: str
    confidence: float
    tier: str
    tier_assumed: str  # that estimates are made for: a doubtful prompt is no easy one
    doubt: str
    label: str
    warnings: tuple[str, ...]

    @property
    def task_known(self) -> str:
        """The task type as far as rules may rely on it: Other when it is in doubt."""
        return "Other" if self.doubt else self.task


def read_ask(
    question: Question, signals: Signals, scores: Scores, policy: RoutingPolicy, rows: FleetRows
) -> Ask:
    """
    Resolve the names of *question*.

    Raises:
        ModelNotFound: the model is neither virtual nor served.
        InvalidRequest: the pin names no served model, or a virtual model shall embed.
    """
    controls = question.controls
    preset = policy.virtual.get(question.model.lower())
    if preset is not None and question.kind is Kind.EMBEDDING:
        raise no_embedding_named(question.model, rows)
    own = None if preset is not None else find_own(question, rows)
    if controls.prefer_model is not None:
        find_pin(controls.prefer_model, rows)
    warnings: list[str] = []
    mode_name = preset or policy.mode
    if controls.mode is not None:
        asked = policy.mode_names.get(controls.mode.lower())
        if asked is None:
            warnings.append(f"There is no mode {controls.mode}; {mode_name} was used.")
        mode_name = asked or mode_name
    label = "" if controls.task_hint is None else plain(controls.task_hint)
    hinted = task_of(label)
    if label and hinted is None and label not in policy.labels:
        shown = label[:HINT_CHARS_SHOWN]
        warnings.append(
            f"{shown} is no kind of work, and no rule knows it: the hint has no effect."
        )
    task = hinted or scores.task_type
    doubt = read_doubt(task, hinted=hinted is not None, signals=signals, scores=scores)
    cautious = doubt and policy.uncertain == "keep" and scores.tier == "low"
    return Ask(
        own=own,
        action=read_action(question, policy, virtual=own is None),
        mode_name=mode_name,
        mode=policy.modes[mode_name],
        task=task,
        confidence=scores.confidence if hinted is None else 1.0,
        tier=scores.tier,
        tier_assumed="medium" if cautious else scores.tier,
        doubt=doubt,
        label=label,
        warnings=tuple(warnings),
    )


def read_action(question: Question, policy: RoutingPolicy, *, virtual: bool) -> RouteAction:
    """
    What routing may do.

    A virtual model has to be chosen by us, so nothing is ever off for it, and rules apply to it
    like to any request that leaves the choice to us. Asking for a mode, a preferred model, a budget
    or a quality is asking for routing. Vectors of two models cannot be compared, so a named
    embedding model stays.
    """
    controls = question.controls
    action = controls.action
    if virtual:
        if action in (RouteAction.AUTO, RouteAction.CUSTOM):
            return action
        return RouteAction.CUSTOM if policy.rules else RouteAction.AUTO
    if question.kind is Kind.EMBEDDING:
        return RouteAction.DISABLED
    if action is not None:
        return action
    if policy.action is RouteAction.DISABLED and asks_for_routing(controls):
        return RouteAction.AUTO
    return policy.action


def asks_for_routing(controls: Controls) -> bool:
    """Whether the client said what to look for, though not that we shall look."""
    return (
        controls.mode is not None
        or controls.prefer_model is not None
        or controls.cost_usd_max is not None
        or controls.quality_min is not None
    )


def is_off(question: Question, policy: RoutingPolicy) -> bool:
    """Whether the named model answers whatever the request is about."""
    virtual = question.model.lower() in policy.virtual
    return read_action(question, policy, virtual=virtual) is RouteAction.DISABLED


def read_doubt(task: str, *, hinted: bool, signals: Signals, scores: Scores) -> str:
    """Why the kind of work is not known, as the beginning of a sentence; "" when it is."""
    if scores.stage in UNCLASSIFIED:
        return "Not classified"
    if hinted and task != "Other":
        return ""
    if signals.words < SHORT_WORDS and signals.excerpt_chars < SHORT_CHARS:
        return "Too short to tell the kind of work"
    if scores.uncertain:
        return f"Uncertain kind of work ({task} {scores.confidence:.2f})"
    return "No known kind of work" if task == "Other" else ""
