"""Tests of gateway.wire.decode."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.wire.decode import check_utf8, decode, given, missing


class Inner(msgspec.Struct):
    """A nested object."""

    role: Literal["user", "system"]
    size: int = 0


class Body(msgspec.Struct):
    """A body."""

    model: str
    inner: list[Inner] = []
    raw: msgspec.Raw = msgspec.Raw(b"null")


BODY = msgspec.json.Decoder(Body)


@pytest.mark.parametrize(
    ("body", "at", "message", "param"),
    [
        (b"", "", "The body is not valid JSON: Input data was truncated.", None),
        (b"{", "", "The body is not valid JSON: Input data was truncated.", None),
        (b"[]", "", "Expected `object`, got `array`.", None),
        (b"{}", "", "model: required, but missing.", "model"),
        (b'{"model":1}', "", "model: Expected `str`, got `int`.", "model"),
        (
            b'{"model":"m","inner":[{"role":"user","size":"x"}]}',
            "",
            "inner[0].size: Expected `int`, got `str`.",
            "inner[0].size",
        ),
        (
            b'{"model":"m","inner":[{}]}',
            "",
            "inner[0].role: required, but missing.",
            "inner[0].role",
        ),
        (
            b'{"model":1}',
            "tools[2]",
            "tools[2].model: Expected `str`, got `int`.",
            "tools[2].model",
        ),
        (b"1", "tools[2]", "tools[2]: Expected `object`, got `int`.", "tools[2]"),
        (b'{"model":"\xff"}', "", "The body is not valid JSON: a string is not UTF-8.", None),
        (
            b'{"model":"m","raw":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "",
            "The body is nested too deeply.",
            None,
        ),
    ],
)
def test_decode_names_the_field(body: bytes, at: str, message: str, param: str | None) -> None:
    """Every error says what was expected, and its param is the path of the field."""
    with pytest.raises(InvalidRequest) as caught:
        decode(BODY, body, at)

    assert caught.value.message.replace("`", "") == message.replace("`", "")
    assert caught.value.param == param


@pytest.mark.parametrize("said", ["wizard", "secret - at `$.inner[0].role`", "a' - at `$"])
def test_decode_never_repeats_a_value(said: str) -> None:
    """A value that is not accepted may be prompt text, even one that looks like our own message."""
    body = msgspec.json.encode({"model": "m", "inner": [{"role": said}]})

    with pytest.raises(InvalidRequest) as caught:
        decode(BODY, body)

    assert caught.value.message == "inner[0].role: expected one of system, user."
    assert caught.value.param == "inner[0].role"


def test_given_tells_null_from_absence_of_null() -> None:
    """A member counts as given unless it is absent or null."""
    assert not given(BODY.decode(b'{"model":"m"}').raw)
    assert not given(BODY.decode(b'{"model":"m","raw": null}').raw)
    assert given(BODY.decode(b'{"model":"m","raw":0}').raw)


def test_check_utf8_names_the_byte() -> None:
    """Bytes that are no UTF-8 are refused with their offset; all others pass."""
    check_utf8("plain – 好".encode())
    with pytest.raises(InvalidRequest, match="byte 3 is not UTF-8"):
        check_utf8(b"abc\xff")


def test_missing_names_the_field() -> None:
    """The error of a required member carries its path twice: for people and for programs."""
    error = missing("messages[0].role")

    assert error.message == "messages[0].role: required, but missing."
    assert error.param == "messages[0].role"
