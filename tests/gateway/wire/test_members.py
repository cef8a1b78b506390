"""Tests of gateway.wire.members."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidRequest
from gateway.wire.members import MEMBERS_MAX, edit, name_of, spans, unknown
from tests.gateway.wire.chats import json_values

objects = st.dictionaries(st.text(max_size=6), json_values, max_size=6)
indents = st.sampled_from([None, 1, "\t"])


def text_of(value: object, indent: int | str | None) -> bytes:
    """JSON as some client might write it."""
    return json.dumps(value, indent=indent, ensure_ascii=indent is None).encode()


@pytest.mark.parametrize(
    ("body", "changes", "edited"),
    [
        (b'{"model":"a","n":1}', {"model": b'"b"'}, b'{"model":"b","n":1}'),
        (b'{ "n" : 1 ,\n"model" : "a" }', {"model": b'"b"'}, b'{ "n" : 1 ,\n"model" : "b" }'),
        (b'{"n":1,"model":"a"}', {"n": None}, b'{"model":"a"}'),
        (b'{"n":1, "model":"a"}', {"model": None}, b'{"n":1}'),
        (b'{"n":1}', {"n": None}, b"{}"),
        (b"{}", {"n": b"2"}, b'{"n":2}'),
        (b" { } ", {"n": b"2"}, b' { "n":2} '),
        (b'{"a":1}', {"n": b"2"}, b'{"a":1,"n":2}'),
        (b'{"a":1}', {"a": None, "n": b"2"}, b'{"n":2}'),
        (b'{"mod\\u0065l":"a"}', {"model": b'"b"'}, b'{"mod\\u0065l":"b"}'),
        (b'{"x":{"model":"a"},"model":"a"}', {"model": b'"b"'}, b'{"x":{"model":"a"},"model":"b"}'),
        (b'{"x":"\\"model\\":1","model":1}', {"model": b"2"}, b'{"x":"\\"model\\":1","model":2}'),
        (b'{"model":1,"model":2}', {"model": b"3"}, b'{"model":3}'),
        (b'{"a":[{"n":"}"}],"n":1}', {"n": b"2"}, b'{"a":[{"n":"}"}],"n":2}'),
    ],
)
def test_edit(body: bytes, changes: dict[str, bytes | None], edited: bytes) -> None:
    """Only the named top-level members change; every other byte stays."""
    assert edit(body, changes) == edited


@pytest.mark.parametrize("changes", [{}, {"model": b'"a"'}, {"absent": None}])
def test_edit_without_effect_returns_the_same_object(changes: dict[str, bytes | None]) -> None:
    """Nothing to change costs no copy."""
    body = b'{"model":"a"}'

    assert edit(body, changes) is body


@given(objects, indents, st.dictionaries(st.text(max_size=6), st.none() | json_values, max_size=4))
def test_edit_agrees_with_building(
    body: dict[str, object], indent: int | str | None, changes: dict[str, object]
) -> None:
    """Splicing bytes gives what decoding, changing and encoding would."""
    raw = {name: None if new is None else json.dumps(new).encode() for name, new in changes.items()}
    expected = {**body, **changes}
    for name, new in changes.items():
        if new is None:
            expected.pop(name)

    assert json.loads(edit(text_of(body, indent), raw)) == expected


@given(st.lists(st.sampled_from(["a", "b", "model", "\\u0061", "\\u0062"]), max_size=5))
def test_unknown_refuses_every_repeated_name(names: list[str]) -> None:
    """However the names of a body are written, each may occur once."""
    body = "{%s}" % ",".join(f'"{name}":{row}' for row, name in enumerate(names))  # noqa: UP031
    meant = [json.loads(f'"{name}"') for name in names]

    if len(set(meant)) == len(meant):
        assert list(unknown(body.encode(), ())) == meant
    else:
        with pytest.raises(InvalidRequest, match="occurs twice"):
            unknown(body.encode(), ())


@given(objects, indents)
def test_unknown_keeps_values_as_they_were_written(
    body: dict[str, object], indent: int | str | None
) -> None:
    """Members that are not known come back by their real names, with their own bytes."""
    text = text_of(body, indent)
    known = set(list(body)[:2])

    extra = unknown(text, known)

    assert {name: json.loads(value) for name, value in extra.items()} == {
        name: value for name, value in body.items() if name not in known
    }
    assert all(value in text for value in extra.values())


@pytest.mark.parametrize("body", [b'{"model":1,"model":2}', b'{"model":1,"x":0,"mod\\u0065l":2}'])
def test_unknown_refuses_a_name_twice(body: bytes) -> None:
    """Two members of one name, however it is written, could hide a second model."""
    with pytest.raises(InvalidRequest) as caught:
        unknown(body, {"model"})

    assert caught.value.message == "A member occurs twice in the body."
    assert caught.value.param == "model"


@pytest.mark.parametrize("body", [b'{"\\ud800":0}', b'{"x":0,"\\q":1}'])
def test_unknown_refuses_a_name_that_nobody_can_read(body: bytes) -> None:
    """A broken escape in a name is the client's error."""
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        unknown(body, {"model"})


def test_spans_have_a_limit() -> None:
    """One member more than the limit is refused, the limit itself is not."""
    members = {str(row): row for row in range(MEMBERS_MAX)}
    assert len(spans(json.dumps(members).encode())) == MEMBERS_MAX
    assert len(unknown(json.dumps(members).encode(), ())) == MEMBERS_MAX

    members["more"] = 0
    for read in (spans, lambda body: unknown(body, ())):
        with pytest.raises(InvalidRequest, match="more than 256 members"):
            read(json.dumps(members).encode())


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b"1", b'"{}"'])
def test_spans_need_an_object(body: bytes) -> None:
    """Anything but an object is refused."""
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        spans(body)


@given(st.text(max_size=20))
def test_name_of_undoes_escapes(name: str) -> None:
    """A name is read as JSON means it."""
    body = b"{%b:0}" % json.dumps(name).encode()
    plain = b"{%b:0}" % msgspec.json.encode(name)

    assert name_of(body, spans(body)[0]) == name
    assert name_of(plain, spans(plain)[0]) == name


def test_name_of_refuses_a_broken_escape() -> None:
    """A name that no parser can read is the client's error."""
    body = b'{"\\ud800":0}'

    with pytest.raises(InvalidRequest, match="name of a member is not valid JSON"):
        name_of(body, spans(body)[0])
