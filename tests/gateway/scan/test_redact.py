"""Tests of gateway.scan.redact."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.findings import Finding, Severity
from gateway.scan.body_texts import texts_of_body
from gateway.scan.placeholders import Placeholders
from gateway.scan.redact import redact_body, redact_text
from gateway.scan.restore import Restorer
from tests.gateway.scan.finders import find
from tests.gateway.wire.chats import json_values

CARD = 4111111111111111
values = st.sampled_from(["ann@example.org", "bob@example.com", str(CARD), 'Zoë "Smith', "Zoë Ng"])
said = st.lists(values | st.sampled_from([" ", "\n", '"', "\\", "é", "é😀", ", ", "{"])).map(
    "".join
)
data = st.recursive(
    said | st.just(CARD) | st.integers(0, 10**6) | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "to", "type", "a@b.org"]), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=6,
)


def body_of(text: str, given_data: object) -> dict[str, object]:
    """A body with *text* and *given_data* in most places that there are."""
    call = {"id": "c", "type": "function", "function": {"name": "f"}}
    call["function"]["arguments"] = json.dumps(given_data)  # type: ignore[index]
    used = {"type": "tool_use", "id": "c", "input": given_data}
    return {
        "model": "m",
        "temperature": 1.0,
        "seed": CARD,
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": text},
            {"role": "assistant", "content": [used]},
        ],
        "tools": [{"description": text, "parameters": {"default": given_data}}],
        "unknown": [text],
    }


def finding(kind: str, start: int, end: int) -> Finding:
    """A finding of the type *kind*."""
    return Finding(kind, "test", Severity.LOW, start, end)


def redacted(body: bytes) -> bytes:
    """*body* after redaction, which must change it."""
    redaction = redact_body(body, find)
    assert redaction is not None
    return redaction.body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{ "n":1.0, "content" : "to ann@example.org\\u00e9", "big":123456789012345678901 }',
            '{ "n":1.0, "content" : "to <EMAIL_1>é", "big":123456789012345678901 }',
        ),
        (b'{"content":"ann\\u0040example.org"}', '{"content":"<EMAIL_1>"}'),
        (b'{"input":["a","ann@example.org"]}', '{"input":["a","<EMAIL_1>"]}'),
        (b'{"x":{"input":{"n":4111111111111111}}}', '{"x":{"input":{"n":"<CARD_1>"}}}'),
        (b'{"seed":4111111111111111,"a":"a@b.org"}', '{"seed":4111111111111111,"a":"<EMAIL_1>"}'),
        (b'{"x":{"input":{"a@b.org":1}}}', '{"x":{"input":{"<EMAIL_1>":1}}}'),
        (b'{"model":"a@b.org","a":"a@b.org"}', '{"model":"a@b.org","a":"<EMAIL_1>"}'),
        (b'{"a":"a@b.org","a":"c@b.org"}', '{"a":"<EMAIL_1>","a":"<EMAIL_2>"}'),
        (b'{"a":"a@b.org","b":"<EMAIL_1>"}', '{"a":"<EMAIL_2>","b":"<EMAIL_1>"}'),
        (
            b'{"arguments":"{\\"n\\": 4111111111111111, \\"k\\": \\"\\\\u00e9\\"}"}',
            '{"arguments":"{\\"n\\": \\"<CARD_1>\\", \\"k\\": \\"\\\\u00e9\\"}"}',
        ),
        (b'{"arguments":"{\\"n\\": a@b.org"}', '{"arguments":"{\\"n\\": <EMAIL_1>"}'),
    ],
)
def test_only_the_values_change(body: bytes, expected: str) -> None:
    """Tokens without a finding, and all between them, keep their bytes."""
    assert redacted(body).decode() == expected


def test_nothing_found_is_none() -> None:
    """The body then stays as it is, and no other object is made."""
    assert redact_body(b'{"content":"hello"}', find) is None


def test_findings_name_their_text_and_offsets() -> None:
    """The place is an index among the texts of the body, offsets are characters of that text."""
    body = b'{"content":"\\u00e9","x":{"input":{"to":" a@b.org"}},"user":"c@b.org"}'
    redaction = redact_body(body, find)

    assert redaction is not None
    assert [(one.place, one.start, one.end) for one in redaction.findings] == [(1, 1, 8), (2, 0, 7)]
    assert texts_of_body(body)[1][1:8] == "a@b.org"
    assert redaction.texts == 2


def test_a_name_helps_to_find_its_value() -> None:
    """What is searched says "pin: 4711"; a finding in the name alone changes nothing."""

    def find_pin(text: str) -> list[Finding]:
        at = text.find("pin: ")
        return [finding("PIN", at, at + 9)] if at >= 0 else []

    redaction = redact_body(b'{"x":{"input":{"pin":"4711","k":"pin"}}}', find_pin)

    assert redaction is not None
    assert redaction.body == b'{"x":{"input":{"pin":"<PIN_1>","k":"pin"}}}'


def test_a_finding_across_two_texts_is_one_in_each() -> None:
    """Texts that are searched together leave nothing behind at their border."""

    def find_all(text: str) -> list[Finding]:
        return [finding("X", 0, len(text))]

    redaction = redact_body(b'{"a":"one","b":"two"}', find_all)

    assert redaction is not None
    assert redaction.body == b'{"a":"<X_1>","b":"<X_2>"}'


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([finding("A", 1, 3)], "0<A_1>3456789"),
        ([finding("A", 5, 9), finding("B", 1, 3)], "0<B_1>34<A_1>9"),
        ([finding("A", 1, 4), finding("B", 2, 8)], "0<B_1>89"),
        ([finding("A", 1, 8), finding("B", 2, 4), finding("C", 7, 9)], "0<A_1>9"),
        ([finding("A", -3, 2), finding("B", 9, 99), finding("C", 5, 5)], "<A_1>2345678<B_1>"),
    ],
)
def test_redact_text(findings: list[Finding], expected: str) -> None:
    """Overlapping findings become one placeholder, of the longest one's type."""
    assert redact_text("0123456789", findings, Placeholders()) == expected


def test_redact_text_keeps_white_space_around_a_value() -> None:
    """A finding that took in a line break does not join two lines."""
    assert redact_text("a  b \n c", [finding("A", 1, 7)], Placeholders()) == "a  <A_1> \n c"
    assert redact_text("a   c", [finding("A", 1, 4)], Placeholders()) == "a   c"


@given(said, data, st.booleans())
@settings(deadline=None, max_examples=40)
def test_nothing_of_a_value_is_left(text: str, given_data: object, ascii_only: bool) -> None:
    """The body stays JSON; reading it, with all JSON inside it, shows no value in any text."""
    body = json.dumps(body_of(text, given_data), ensure_ascii=ascii_only).encode()
    redaction = redact_body(body, find)

    after = body if redaction is None else redaction.body
    assert json.loads(after)["seed"] == CARD
    assert b'"temperature": 1.0' in after
    assert not any(find(left) for left in texts_of_body(after))
    assert len(texts_of_body(after)) <= len(texts_of_body(body))
    if redaction is not None:
        assert redact_body(after, find) is None


@given(said)
@settings(deadline=None, max_examples=40)
def test_an_echo_is_the_original(text: str) -> None:
    """What the model repeats comes back as it was sent."""
    redaction = redact_body(json.dumps({"content": text + "."}).encode(), find)
    if redaction is not None:
        echo = json.loads(redaction.body)["content"]
        assert Restorer(redaction.placeholders).in_text(echo) == text + "."


@given(data)
@settings(deadline=None, max_examples=40)
def test_an_echo_of_arguments_is_the_original(given_data: object) -> None:
    """The same inside JSON, but a number that was taken out comes back as a string."""
    body = json.dumps({"x": {"input": {"value": given_data}}}).encode()
    redaction = redact_body(body, find)
    if redaction is not None:
        echo = json.dumps(json.loads(redaction.body)["x"]["input"])
        back = json.loads(Restorer(redaction.placeholders).in_json(echo))
        assert as_strings(back) == as_strings({"value": given_data})


def as_strings(value: object) -> object:
    """*value* with its card numbers as strings, JSON inside strings read, too."""
    if isinstance(value, dict):
        return {key: as_strings(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_strings(inner) for inner in value]
    if isinstance(value, str) and value.startswith(("{", "[", '"')):
        try:
            return as_strings(json.loads(value))
        except ValueError:
            return value
    return str(value) if value == CARD else value


@given(json_values)
def test_without_findings_nothing_happens(value: object) -> None:
    """Whatever the JSON."""
    assert redact_body(json.dumps(value).encode(), lambda _: ()) is None
