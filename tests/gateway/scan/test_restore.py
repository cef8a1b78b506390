"""Tests of gateway.scan.restore."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import (
    Answer,
    Ended,
    Failed,
    Finish,
    Finished,
    Started,
    StreamEvent,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    Usage,
)
from gateway.scan.placeholders import Placeholders
from gateway.scan.restore import Restorer

EMAIL, NAME = "ann@example.org", 'Zoë "Z" \\ Smith'


def restorer() -> Restorer:
    """One that knows ten addresses, an odd name and a key."""
    known = Placeholders()
    known.of("EMAIL_ADDRESS", EMAIL)
    for n in range(2, 11):
        known.of("EMAIL_ADDRESS", f"{n}@example.org")
    known.of("PERSON", NAME)
    known.of("API_KEY", "<EMAIL_2>")
    return Restorer(known)


def streamed(events: list[StreamEvent]) -> list[StreamEvent]:
    """What comes out of a restorer for *events*."""
    one = restorer()
    return [out for event in events for out in one.event(event)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to <EMAIL_1>, <EMAIL_10>", f"to {EMAIL}, 10@example.org"),
        ("<<EMAIL_1>>", f"<{EMAIL}>"),
        ("<EMAIL_11> <email_1> EMAIL_1 <EMAIL_1", "<EMAIL_11> <email_1> EMAIL_1 <EMAIL_1"),
        ("<API_KEY_1>", "<EMAIL_2>"),
        ("\\u003cEMAIL_1\\u003e", "\\u003cEMAIL_1\\u003e"),
    ],
)
def test_text(text: str, expected: str) -> None:
    """Only exact placeholders of this request; a value is not looked into again."""
    assert restorer().in_text(text) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"to": "<PERSON_1>"}', {"to": NAME}),
        ('{"to": "\\u003cEMAIL_1\\u003E"}', {"to": EMAIL}),
        ('{"to": "\\\\u003cEMAIL_1\\u003e"}', {"to": "\\u003cEMAIL_1>"}),
        ('{"<EMAIL_1>": "\\\\<EMAIL_1>"}', {EMAIL: "\\" + EMAIL}),
    ],
)
def test_arguments_stay_json(arguments: str, expected: object) -> None:
    """Quotes in a value are escaped, and escaped brackets are brackets."""
    assert json.loads(restorer().in_json(arguments)) == expected


def test_whole_answer() -> None:
    """Text and arguments of every choice, but no reasoning: it may be signed."""
    thought = Thinking("of <EMAIL_1>", "signature")
    call = ToolCall("c", "f", '"<PERSON_1>"')
    answer = Answer(
        "a", "m", ((Text("<EMAIL_1>"), thought), (call,)), (Finish.STOP, Finish.STOP), Usage()
    )

    (text, after), (called,) = restorer().whole(answer).choices

    assert text == Text(EMAIL)
    assert after is thought
    assert isinstance(called, ToolCall)
    assert json.loads(called.arguments) == NAME


texts = st.lists(
    st.sampled_from(
        (
            *("<EMAIL_1>", "<EMAIL_10>", "<EMAIL_99>", "<PERSON_1>", "<EMAIL_", "<", ">", "\\"),
            *(
                "\\\\",
                "\\u003cEMAIL_1\\u003e",
                "\\u003",
                "c",
                "EMAIL_1",
                "u",
                "é",
                "\\n",
                "1",
                " x ",
            ),
        )
    ),
    max_size=8,
).map("".join)


@st.composite
def split(draw: st.DrawFn) -> list[str]:
    """A text in pieces."""
    text = draw(texts)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(split())
@settings(deadline=None, max_examples=100)
def test_any_split_of_text_restores_as_the_whole(pieces: list[str]) -> None:
    """Wherever a provider cuts its deltas."""
    out = streamed([*map(TextDelta, pieces), Ended()])

    said = "".join(event.text for event in out if isinstance(event, TextDelta))
    assert said == restorer().in_text("".join(pieces))


@given(split())
@settings(deadline=None, max_examples=100)
def test_any_split_of_arguments_restores_as_the_whole(pieces: list[str]) -> None:
    """The same for arguments, whose escapes may be cut in two."""
    out = streamed([*(ToolDelta(3, piece) for piece in pieces), Finished(Finish.STOP)])

    said = [event for event in out if isinstance(event, ToolDelta)]
    assert all(event.index == 3 for event in said)
    whole = restorer().in_json("".join(pieces))
    assert "".join(event.arguments for event in said) == whole


@pytest.mark.parametrize(
    ("delta", "at_once"),
    [
        ("a < b", True),
        ("see <EMAIL_1", False),
        ("see <EMA", False),
        ("see <EMX", True),
        ("see <EMAIL_2x", True),
        ("see <", False),
        ("done <EMAIL_1>", True),
    ],
)
def test_only_what_may_become_a_placeholder_waits(delta: str, at_once: bool) -> None:
    """Anything else is sent on with the delta that it came in."""
    out = streamed([TextDelta(delta)])

    sent = "".join(event.text for event in out if isinstance(event, TextDelta))
    assert (sent == restorer().in_text(delta)) is at_once
    assert at_once or sent == "see "


@pytest.mark.parametrize(
    "event",
    [
        ThinkingDelta("hm"),
        ToolStarted(0, "c", "f"),
        ToolDelta(0, "{}"),
        Finished(Finish.STOP),
        Ended(),
        Failed("broken"),
    ],
)
def test_what_waits_is_sent_before_another_channel(event: StreamEvent) -> None:
    """Words stay where they were said; nothing is lost when a stream ends in the middle."""
    assert streamed([TextDelta("a <EMAIL"), event]) == [TextDelta("a "), TextDelta("<EMAIL"), event]


def test_usage_on_the_way_cuts_no_placeholder() -> None:
    """Some providers report it with every delta."""
    usage = Finished(usage=Usage())
    events = [Started("a", "m"), TextDelta("<EMAIL"), usage, TextDelta("_1>"), Ended()]

    assert streamed(events) == [events[0], usage, TextDelta(EMAIL), Ended()]


def test_two_calls_do_not_mix() -> None:
    """The beginning of a placeholder in one call is not continued by another."""
    out = streamed([ToolDelta(0, '"<EMAIL'), ToolDelta(1, '_1>"'), Ended()])

    assert out == [ToolDelta(0, '"'), ToolDelta(0, "<EMAIL"), ToolDelta(1, '_1>"'), Ended()]
