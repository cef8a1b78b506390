"""Typed decoding of what a client sent, with errors that name the field."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from gateway.config.decode import choices
from gateway.core.errors import InvalidRequest

T = TypeVar("T")

NOT_JSON = "The body is not valid JSON"
# What any decoder raises for bytes that it cannot read.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
ModelName = Annotated[str, Meta(max_length=256)]  # it stays in records; none is as long
NULL = msgspec.Raw(b"null")  # default of a member kept as bytes: msgspec takes no ``Raw | None``


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, at: str = "") -> T:
    """
    Decode *data*, which stands at the path *at* of the body ("" is the body itself).

    Raises:
        InvalidRequest: malformed or of another type; ``param`` is the path of the field, such as
            ``messages[0].role``. The message never repeats a value: it may be prompt text.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _mistyped(str(error), at, decoder.type) from None
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{NOT_JSON}: {error}.", param=at or None) from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{NOT_JSON}: a string is not UTF-8.", param=at or None) from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.", param=at or None) from None


def given(raw: msgspec.Raw) -> bool:
    """Whether a member that defaults to NULL was there and not null."""
    return bytes(raw) != b"null"


def check_utf8(body: bytes) -> None:
    """Raise InvalidRequest when *body* is not UTF-8; the decoder skips strings it does not need."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"{NOT_JSON}: byte {error.start} is not UTF-8.") from None


def missing(param: str) -> InvalidRequest:
    """The error of a member that its type demands."""
    return InvalidRequest(f"{param}: required, but missing.", param=param)


def _mistyped(text: str, at: str, kind: Any) -> InvalidRequest:
    # the last one: an unaccepted value is quoted before it, and may say anything
    reason, found, path = text.rpartition(" - at `$")
    if not found:
        reason, path = text, ""
    param = (at + path.rstrip("`")).lstrip(".")
    if reason.startswith("Object missing required field"):
        return missing(f"{param}.{reason.split('`')[1]}".lstrip("."))
    if reason.startswith("Invalid enum value"):
        accepted = choices(kind, path.rstrip("`"))
        reason = f"expected one of {accepted}" if accepted else "not one of the accepted values"
    reason = reason.replace("`", "")
    where = f"{param}: " if param else ""
    return InvalidRequest(f"{where}{reason}.", param=param or None)
