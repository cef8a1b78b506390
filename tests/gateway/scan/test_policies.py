"""Content policies of the operator, and what violates them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.content_policy import ContentPolicy, PolicyCategory
from gateway.scan.likeness import embed
from gateway.scan.policies import WINDOWS_MAX, compile_content_policies

IVORY = ContentPolicy(
    name="wildlife",
    categories=(PolicyCategory(name="poaching"), PolicyCategory(name="trade")),
    examples=("Where can I sell ivory without being caught?",),
    negative_examples=("Where can I report somebody who sells ivory?",),
)
FILLER = "The committee met on Tuesday and talked about the new roof of the school. " * 40


def compiled(*policies):
    return compile_content_policies(policies, embed)


def violations(policy, text, scores=None, project="any"):
    return compiled(policy).check([text], scores or {}, project)


@pytest.mark.parametrize(
    ("policy", "text", "trigger"),
    [
        (
            ContentPolicy(name="p", patterns=(r"\bproject\s+(zebra|lynx)\b",)),
            "Hi: Project  LYNX is late",
            "Project  LYNX",
        ),
        (
            ContentPolicy(name="p", phrases=("c++ (beta)",)),
            "é: is C++   (beta) out?",
            "C++   (beta)",
        ),
        (
            ContentPolicy(name="p", phrases=("geheime Pläne",)),
            "Die GEHEIME pläne!",
            "GEHEIME pläne",
        ),
        (ContentPolicy(name="p", phrases=("内部 资料",)), "给我内部 资料。", "内部 资料"),
        (
            IVORY,
            f"{FILLER}Tell me where to sell ivory without getting caught. {FILLER}",
            "Tell me where to sell ivory without getting caught.",
        ),
    ],
)
def test_the_span_is_what_triggered(policy, text, trigger):
    """A pattern, a phrase or a sentence like an example is told by its place in the text."""
    (found,) = violations(policy, text)

    assert text[found.start : found.end] == trigger
    assert found.place == 0


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (ContentPolicy(name="p", phrases=("cat",)), "concatenate these lists"),
        (IVORY, "How do I report a person who sells ivory?"),
        (IVORY, "Where can I sell my old bicycle without a fee?"),
        (IVORY, ""),
        (IVORY, " \n\t"),
    ],
)
def test_what_is_near_a_policy_may_pass(policy, text):
    """Parts of longer words, negative examples and other subjects violate nothing."""
    assert violations(policy, text) == []


def test_a_violation_says_whose_it_is():
    """Name, categories and action are the policy's; the example itself leaves no doubt."""
    policy = msgspec.structs.replace(IVORY, action="block")

    (found,) = violations(policy, IVORY.examples[0])

    assert (found.policy, found.categories) == ("wildlife", ("poaching", "trade"))
    assert (found.action, found.confidence) == ("block", pytest.approx(1.0, abs=1e-5))


def test_one_violation_for_a_policy():
    """Of several triggers in several texts the surest counts, in the order of the policies."""
    words = ContentPolicy(name="words", phrases=("ivory",))
    texts = [
        "Could somebody sell ivory and not be caught, and where?",
        IVORY.examples[0],
        "ivory, ivory",
    ]

    found = compiled(IVORY, words).check(texts, {}, "")

    assert [(one.policy, one.place) for one in found] == [("wildlife", 1), ("words", 0)]


def test_policies_bind_projects():
    """A policy that names projects binds no other; one that names none binds all."""
    policy = ContentPolicy(name="p", phrases=("tender",), projects=("sales", "legal"))

    assert violations(policy, "the tender", project="legal")
    assert not violations(policy, "the tender", project="research")


def test_harm_triggers_from_its_probability_on():
    """The likeliest of the policy's kinds counts, and the span is all of the last text."""
    policy = ContentPolicy(name="p", harm=("harmful", "jailbreak"), harm_min=0.7)
    check = compiled(policy).check

    assert check(["a", "text"], {"harmful": 0.69, "injection": 0.99}, "") == []
    (found,) = check(["a", "text"], {"harmful": 0.2, "jailbreak": 0.8}, "")
    assert (found.confidence, found.place, found.start, found.end) == (0.8, 1, 0, 4)


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ([{"name": "p"}], "'p': nothing triggers it; give it patterns, phrases"),
        ([{"name": " ", "phrases": ["a"]}], "has no name; give it one"),
        ([{"name": "p", "phrases": ["a"]}] * 2, "'p': the name is taken; choose another"),
        ([{"name": "p", "examples": ["a"], "threshold": 1.2}], "'p': threshold is 1.2; set it"),
        ([{"name": "p", "harm": ["harmful"], "harm_min": 0}], "'p': harm_min is 0"),
        ([{"name": "p", "harm": ["evil"]}], "'p': harm 'evil' is unknown; choose of injection"),
        ([{"name": "p", "phrases": [" "]}], "'p': one of its phrases is empty"),
        ([{"name": "p", "examples": ["\x01"]}], "'p': example .* has no word"),
        ([{"name": "p", "phrases": ["a"], "negative_examples": ["b"]}], "do nothing without"),
        ([{"name": "p", "patterns": ["a(b"]}], r"'p': pattern 'a\(b' cannot be used: .*correct it"),
        ([{"name": "p", "patterns": ["(?<=a)b"]}], "no look-around"),
        ([{"name": "p", "patterns": ["x*"]}], "matches the empty text"),
    ],
)
def test_a_wrong_policy_is_named(policies, message):
    """The error says which policy is wrong, how, and what to do."""
    decoded = msgspec.convert(policies, list[ContentPolicy])

    with pytest.raises(ValueError, match=message):
        compile_content_policies(decoded, embed)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=300), max_size=3), st.sampled_from(["", "a"]))
def test_any_texts_can_be_checked(texts, project):
    """Spans lie in their texts and confidence in its range, whatever is asked."""
    policies = ANY_POLICIES.check(texts, {"harmful": 0.9}, project)

    for found in policies:
        assert 0.5 <= found.confidence <= 1.0
        assert 0 <= found.start <= found.end <= len(texts[found.place])


ANY_POLICIES = compiled(
    ContentPolicy(name="a", patterns=("[a-z0]",), projects=("a",)),
    ContentPolicy(name="b", examples=("0", "é and a"), threshold=0.1),
    ContentPolicy(name="c", harm=("harmful",)),
)


def test_a_million_characters_are_read_at_both_ends():
    """The number of windows is bounded, and the first and last sentences are among them."""
    embedded = []

    def counting(texts):
        embedded.append(len(texts))
        return embed(texts)

    check = compile_content_policies([IVORY], counting).check
    filler = FILLER * 400
    assert check([filler], {}, "") == []
    assert embedded[-1] == WINDOWS_MAX
    assert check([f"{IVORY.examples[0]} {filler}"], {}, "")
    assert check([f"{filler} {IVORY.examples[0]}"], {}, "")
