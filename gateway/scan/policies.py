"""Check texts against the operator's content policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.core.content_policy import ContentPolicy
from gateway.core.findings import ATTACKS, Severity
from gateway.scan.likeness import windows_of
from gateway.scan.patterns import Pattern, PatternSet

Vectors = NDArray[np.float32]  # of unit length, a row for each text
Embed = Callable[[Sequence[str]], Vectors]

WINDOWS_MAX = 256  # of one check that are embedded, shared by its texts: 4 ms at most
SAME = 1.0 - 1e-6  # likeness of a sentence to itself, rounded
KIND = "POLICY"
ENGINE = "re2"  # compiles anything at once; hyperscan takes seconds for what has many gaps


class Violation(msgspec.Struct, frozen=True):
    """
    A policy that forbids a request, and what in it triggered that most surely: characters *start*
    to *end*, exclusive, of the text at *place*. A harm is of the request as a whole: then the span
    is all of its last text. *confidence* is 0 to 1; of an example, half at its threshold.
    *categories* are the names of the policy's. *action* is None where the request decides.
    """

    policy: str
    categories: tuple[str, ...]
    confidence: float
    place: int
    start: int
    end: int
    action: str | None
    descriptions: tuple[str, ...] = ()  # of the categories


class Trigger(msgspec.Struct, frozen=True):
    """The span that triggered the policy of this index."""

    policy: int
    confidence: float
    place: int
    start: int
    end: int


class Likeness(msgspec.Struct, frozen=True):
    """The examples of the policy of this index, [n, d] and [m, d]."""

    policy: int
    threshold: float
    examples: Vectors
    negative: Vectors


class CompiledPolicies:
    """Policies ready to be checked. Immutable; *check* may be called from several threads."""

    def __init__(
        self,
        policies: Sequence[ContentPolicy],
        patterns: tuple[PatternSet, tuple[int, ...]] | None,
        likenesses: Sequence[Likeness],
        embed: Embed,
    ) -> None:
        """*patterns* come with the index of the policy of each; see compile_content_policies."""
        self.policies = tuple(policies)
        self._patterns = patterns
        self._likenesses = tuple(likenesses)
        self._embed = embed
        self._harmed = any(policy.harm for policy in policies)

    def check(
        self,
        texts: Sequence[str],
        scores: Mapping[str, float],
        project: str,
    ) -> list[Violation]:
        """
        The violations in *texts*, one for each policy at most, in the order of the policies.

        Args:
            texts: of one request.
            scores: probability of each kind of attack in the request, 0 to 1; a kind that is not
                there triggers nothing.
            project: whose request it is.
        """
        bound = {
            index
            for index, policy in enumerate(self.policies)
            if not policy.projects or project in policy.projects
        }
        if not bound or not texts:
            return []
        surest: dict[int, Trigger] = {}
        for trigger in self._triggers(texts, scores, bound):
            known = surest.get(trigger.policy)
            if known is None or trigger.confidence > known.confidence:
                surest[trigger.policy] = trigger
        return [self._violation(surest[index]) for index in sorted(surest)]

    def _triggers(
        self,
        texts: Sequence[str],
        scores: Mapping[str, float],
        bound: set[int],
    ) -> Iterator[Trigger]:
        """All that triggers one of the policies *bound*: patterns first, harm last."""
        if self._patterns is not None:
            patterns, owners = self._patterns
            for place, text in enumerate(texts):
                for match in patterns.scan(text):
                    if owners[match.pattern] in bound:
                        yield Trigger(owners[match.pattern], 1.0, place, match.start, match.end)
        yield from self._alike(texts, bound)
        if self._harmed:
            last = len(texts) - 1
            for index in bound:
                policy = self.policies[index]
                worst = max((scores.get(kind, 0.0) for kind in policy.harm), default=0.0)
                if policy.harm and worst >= policy.harm_min:
                    yield Trigger(index, min(1.0, worst), last, 0, len(texts[last]))

    def _alike(self, texts: Sequence[str], bound: set[int]) -> Iterator[Trigger]:
        """The windows that are like the examples of the policies *bound*."""
        likenesses = [one for one in self._likenesses if one.policy in bound]
        if not likenesses:
            return
        spans = _spans(texts)
        if not spans:
            return
        vectors = self._embed([texts[place][start:end] for place, start, end in spans])
        for one in likenesses:
            likeness = (vectors @ one.examples.T).max(axis=1)
            if len(one.negative):
                innocent = likeness <= (vectors @ one.negative.T).max(axis=1)
                likeness[innocent] = -1.0
            worst = int(likeness.argmax())
            if likeness[worst] >= min(one.threshold, SAME):
                confidence = _confidence(float(likeness[worst]), one.threshold)
                yield Trigger(one.policy, confidence, *spans[worst])

    def _violation(self, trigger: Trigger) -> Violation:
        policy = self.policies[trigger.policy]
        return Violation(
            policy=policy.name,
            categories=tuple(category.name for category in policy.categories),
            descriptions=tuple(category.description for category in policy.categories),
            confidence=trigger.confidence,
            place=trigger.place,
            start=trigger.start,
            end=trigger.end,
            action=policy.action,
        )


def compile_content_policies(policies: Sequence[ContentPolicy], embed: Embed) -> CompiledPolicies:
    """
    The policies, ready to be checked. *embed* makes float32[n, d] of n texts, rows of unit length.

    Raises:
        ValueError: a policy is wrong; the message names it and says what to do.
    """
    names: set[str] = set()
    for policy in policies:
        _check(policy)
        if policy.name in names:
            raise ValueError(f"content policy {policy.name!r}: the name is taken; choose another")
        names.add(policy.name)
    return CompiledPolicies(
        policies,
        _patterns(policies),
        [_likeness(index, one, embed) for index, one in enumerate(policies) if one.examples],
        embed,
    )


def _check(policy: ContentPolicy) -> None:
    """Raise ValueError for what no regular expression is needed to see."""
    name = f"content policy {policy.name!r}"
    if not policy.name.strip():
        raise ValueError("a content policy has no name; give it one")
    if not (policy.patterns or policy.phrases or policy.examples or policy.harm):
        raise ValueError(
            f"{name}: nothing triggers it; give it patterns, phrases, examples or harm"
        )
    for key, share in (("threshold", policy.threshold), ("harm_min", policy.harm_min)):
        if not 0.0 < share <= 1.0:
            raise ValueError(f"{name}: {key} is {share}; set it above 0 and at most 1")
    for kind in policy.harm:
        if kind not in ATTACKS:
            raise ValueError(f"{name}: harm {kind!r} is unknown; choose of {', '.join(ATTACKS)}")
    for key in ("phrases", "examples", "negative_examples"):
        if not all(text.strip() for text in getattr(policy, key)):
            raise ValueError(f"{name}: one of its {key} is empty; write it or leave it out")
    if policy.negative_examples and not policy.examples:
        raise ValueError(f"{name}: negative_examples do nothing without examples; add some")


def _patterns(policies: Sequence[ContentPolicy]) -> tuple[PatternSet, tuple[int, ...]] | None:
    """The patterns and phrases of all policies in one set, with the policy of each."""
    patterns: list[Pattern] = []
    owners: list[int] = []
    for index, policy in enumerate(policies):
        own = [
            Pattern(
                id=policy.name,
                kind=KIND,
                severity=Severity.MEDIUM,
                regex=regex,
                positive=(),
                negative=(),
            )
            for regex in (*policy.patterns, *map(_phrase, policy.phrases))
        ]
        for pattern in own:
            _compile_alone(pattern)
        patterns += own
        owners += [index] * len(own)
    return (PatternSet(patterns, ENGINE), tuple(owners)) if patterns else None


def _compile_alone(pattern: Pattern) -> None:
    """Raise ValueError, with the name of its policy, for a pattern that does not compile."""
    try:
        PatternSet([pattern], ENGINE)
    except ValueError as wrong:
        raise ValueError(
            f"content policy {pattern.id!r}: pattern {pattern.regex!r} cannot be used:"
            f" {str(wrong).removeprefix(f'{pattern.id}: ')}; correct it (there is no look-around"
            " and no back-reference), or write the words as a phrase"
        ) from wrong


def _phrase(phrase: str) -> str:
    """A regular expression that finds the words of *phrase*, and not parts of longer ones."""
    words = phrase.split()
    regex = r"\s+".join(re.escape(word) for word in words)
    before = r"\b" if words[0][0].isascii() and words[0][0].isalnum() else ""
    after = r"\b" if words[-1][-1].isascii() and words[-1][-1].isalnum() else ""
    return f"{before}{regex}{after}"


def _likeness(index: int, policy: ContentPolicy, embed: Embed) -> Likeness:
    """The examples of a policy as vectors. ValueError for one that says nothing."""
    examples, negative = embed(policy.examples), embed(policy.negative_examples)
    for text, vector in zip(policy.examples, examples, strict=True):
        if not vector.any():
            raise ValueError(
                f"content policy {policy.name!r}: example {text!r} has no word; write a sentence"
            )
    return Likeness(index, policy.threshold, examples, negative)


def _spans(texts: Sequence[str]) -> list[tuple[int, int, int]]:
    """Place, start and end of what is embedded: WINDOWS_MAX windows, shared evenly."""
    each = max(1, WINDOWS_MAX // len(texts))
    return [
        (place, start, end)
        for place, text in enumerate(texts)
        for start, end in windows_of(text, each)
    ][:WINDOWS_MAX]


def _confidence(likeness: float, threshold: float) -> float:
    """A half at the threshold, 1 for the example itself."""
    if threshold >= SAME:
        return 1.0
    return min(1.0, 0.5 + 0.5 * (likeness - threshold) / (1.0 - threshold))
