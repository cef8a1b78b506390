"""Tests of gateway/signals/excerpt.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from gateway.signals.excerpt import (
    ASK_CHARS_MAX,
    PRIOR_TURNS_WALKED_MAX,
    TURNS_WALKED_MAX,
    Excerpt,
    read_excerpt,
)
from models.excerpt import join_excerpt

REMINDER = "<system-reminder>Step 4 of 20.</system-reminder>"
RESULT = ToolResult("call_1", (Text("3 failed, 12 passed"),))
CALL = ToolCall("call_1", "run", '{"cmd":"pytest"}')


def system(text: str) -> Turn:
    """The system prompt."""
    return Turn(Role.SYSTEM, (Text(text),))


def user(*parts: Part | str) -> Turn:
    """A user turn; plain words are text parts."""
    return Turn(Role.USER, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: Part | str) -> Turn:
    """An assistant turn; plain words are text parts."""
    return Turn(Role.ASSISTANT, user(*parts).parts)


def excerpt_of(*turns: Turn) -> Excerpt:
    """What read_excerpt finds in a chat of these turns."""
    return read_excerpt(Chat("m", turns))


ASKS = {
    "single turn": ([user("Fix the test")], "Fix the test", False),
    "system prompt in front": ([system("Be brief."), user("Fix the test")], "Fix the test", False),
    "follow-up": ([user("Hi"), assistant("Hello"), user("Fix the test")], "Fix the test", False),
    "after a tool call": (
        [user("Fix the test"), assistant(CALL), user(RESULT)],
        "Fix the test",
        True,
    ),
    "many steps into a loop": (
        [user("Fix the test"), *[assistant("Next", CALL), user(RESULT)] * 50],
        "Fix the test",
        True,
    ),
    "reminder beside the result": (
        [user("Fix the test"), assistant(CALL), user(RESULT, REMINDER)],
        "Fix the test",
        True,
    ),
    "a human speaks beside the result": (
        [user("Fix the test"), assistant(CALL), user(RESULT, "Stop, only list it")],
        "Stop, only list it",
        False,
    ),
    "reminder after an answer": (
        [user("Fix the test"), assistant("Done."), user(REMINDER)],
        "Fix the test",
        True,
    ),
    "reminder beside the ask": ([user(REMINDER, "Fix the test")], "Fix the test", False),
    "environment before the ask": (
        [user("<environment_context>zsh</environment_context>"), user("Fix the test")],
        "Fix the test",
        False,
    ),
    "environment after the ask, before an answer": (
        [user("Fix the test"), user("<environment_context>zsh</environment_context>")],
        "Fix the test",
        False,
    ),
    "the answer is begun": ([user("Fix the test"), assistant("Sure:")], "Fix the test", False),
    "a new ask after a loop": (
        [user("Fix the test"), assistant(CALL), user(RESULT), assistant("Done"), user("And now?")],
        "And now?",
        False,
    ),
    "harness text alone": ([user(REMINDER)], REMINDER, False),
    "harness text after an answer to nobody": ([assistant("Hi"), user(REMINDER)], REMINDER, True),
    "nothing but results": ([assistant(CALL), user(RESULT)], "", True),
    "an image alone": ([user(Image(url="https://images.example/a.png"))], "", False),
    "an image and words": ([user(Image(data="aGk="), "What is it?")], "What is it?", False),
    "an unknown part": ([user(Opaque("input_audio", b"{}"))], "", False),
    "no turns": ([], "", False),
    "an empty turn": ([Turn(Role.USER, ())], "", False),
    "white space": ([user(" \n ")], "", False),
    "Chinese": ([system("简短回答"), user("请解释这段话的意思")], "请解释这段话的意思", False),
}


@pytest.mark.parametrize(("turns", "ask", "continuation"), ASKS.values(), ids=ASKS)
def test_read_excerpt_finds_the_last_human_ask(turns, ask, continuation):
    """The ask is the last that a human said, and the loop that it began is known as one."""
    found = excerpt_of(*turns)

    assert (found.ask, found.agent_continuation) == (ask, continuation)


def test_read_excerpt_has_the_turns_that_the_ask_refers_to():
    """Two turns with words before the ask, results and thoughts left out, in order."""
    found = excerpt_of(
        system("You sell plants."),
        user("Something for a dark room?"),
        assistant(Thinking("They want shade."), "Ferns, or ivy."),
        user(RESULT),
        assistant(CALL),
        user("the second, in blue"),
    )

    prior = [
        ("system", "You sell plants."),
        ("user", "Something for a dark room?"),
        ("assistant", "Ferns, or ivy."),
    ]
    assert found.text == join_excerpt("the second, in blue", prior)


def test_read_excerpt_cleans_the_turns_before():
    """A harness speaks in earlier turns too: its text is no context."""
    found = excerpt_of(user(f"{REMINDER}\nHi"), assistant("Hello"), user("Fix it"))

    assert found.text == join_excerpt("Fix it", [("user", "Hi"), ("assistant", "Hello")])


def test_read_excerpt_keeps_both_ends_of_a_long_ask():
    """A long ask is cut in its middle, and says so."""
    words = "First, count. " + "Then wait a while. " * 300 + "Last, stop."
    found = excerpt_of(user(words))

    assert found.truncated
    assert len(found.ask) <= ASK_CHARS_MAX
    assert found.ask.startswith("First, count.")
    assert found.ask.endswith("Last, stop.")


def test_read_excerpt_of_an_ask_that_just_fits():
    """Nothing is cut at the limit itself."""
    assert not excerpt_of(user("a " * (ASK_CHARS_MAX // 2 - 1) + "b.")).truncated


def test_read_excerpt_finds_an_ask_between_two_large_files():
    """However large the parts beside it are, a part with the ask is read."""
    pages = "\n".join(f"[{row}] page text" for row in range(20_000))
    found = excerpt_of(user(pages, "Which pages differ?", pages))

    assert "Which pages differ?" in found.ask


def test_read_excerpt_stops_at_the_limit_of_turns():
    """Beyond TURNS_WALKED_MAX steps of a loop no ask is looked for."""
    steps = [assistant(CALL), user(RESULT)] * (TURNS_WALKED_MAX // 2)
    found = excerpt_of(user("Fix the test"), *steps)

    assert found == Excerpt(text="", ask="", truncated=False, agent_continuation=True)


def test_read_excerpt_stops_at_the_limit_of_prior_turns():
    """Words before a long loop are not dragged behind it."""
    steps = [assistant(CALL), user(RESULT)] * PRIOR_TURNS_WALKED_MAX
    found = excerpt_of(user("Fix the test"), *steps, user("And now?"))

    assert found.text == "And now?"


parts = st.one_of(
    st.text(max_size=30).map(Text),
    st.sampled_from(
        [Text(REMINDER), Text("<"), RESULT, CALL, Image(url="u"), Opaque("file", b"{}")]
    ),
)
turns = st.builds(Turn, st.sampled_from(Role), st.lists(parts, max_size=4).map(tuple))


@given(st.lists(turns, max_size=8))
@settings(deadline=None, max_examples=200)
def test_read_excerpt_of_any_chat(chat):
    """Never fails; the excerpt ends with the ask, which stays within its limit."""
    found = excerpt_of(*chat)

    assert len(found.ask) <= ASK_CHARS_MAX
    assert found.text.endswith(found.ask.replace("\x1e", " "))
    assert bool(found.text) == bool(found.ask)
