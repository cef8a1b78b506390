"""One request of the admin API: who asks, and what its path, query, headers and body say."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_origin
from urllib.parse import unquote

import msgspec
from aiohttp import web

from gateway.admin.desk import Desk
from gateway.admin.roles import Operator
from gateway.config.decode import choices, mistakes
from gateway.core.errors import BodyTooLarge, InvalidRequest, SwitchyardError

T = TypeVar("T")
BODY_BYTES_MAX = 2**20
ONCE_CHARS_MAX = 128
MISTAKES_MAX = 20  # told at a time
ETAG = re.compile(r'"[0-9]{1,18}"|[0-9]{1,18}')
EXACT = 2**53  # doubles are exact below


class WrongType(SwitchyardError):
    """The body is not announced as JSON."""

    status = 415
    code = "unsupported_media_type"


class ApiCall(msgspec.Struct, frozen=True):
    """
    *names* are the variable parts of the path; *query* and *body* are of the route's types, None
    where it has none. *expected* is the version of ``If-Match``, None without one; *once* is the
    ``Idempotency-Key``, "" without one.
    """

    desk: Desk
    who: Operator
    names: dict[str, str]
    query: Any
    body: Any
    expected: int | None
    once: str

    @property
    def id(self) -> str:
        """The id in the path."""
        return self.names["id"]


def segments(http: web.BaseRequest) -> list[str]:
    """The parts of the path, each unquoted by itself."""
    raw, _, _ = http.raw_path.partition("?")
    return [unquote(part, errors="replace") for part in raw.split("/")]


def read_query(http: web.BaseRequest, kind: type[T]) -> T:
    """
    The query as *kind*, whose members are the only ones there may be.

    Raises:
        InvalidRequest: one is unknown, given twice, or of another type.
    """
    plain: dict[str, str] = {}
    for name, value in http.query.items():
        if name in plain:
            raise InvalidRequest(f"'{name[:40]}' is given twice.", param=name[:40])
        if "\0" in name or "\0" in value:
            raise InvalidRequest("The query holds a NUL.")
        plain[name] = value
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        message, path = parted(error)
        if message.startswith("Invalid enum value"):
            message += f": expected one of {choices(kind, path)}"
        raise InvalidRequest(message, param=path) from None


async def read_body(http: web.BaseRequest, kind: Any) -> Any:
    """
    The body as *kind*.

    Raises:
        WrongType: it is no JSON, by its headers.
        BodyTooLarge: it is too large.
        InvalidRequest: it is no JSON, or of another shape; ``param`` is the path.
    """
    if kind is None:
        if http.body_exists and await whole(http):
            raise InvalidRequest("This takes no body.")
        return None
    if http.content_type != "application/json":
        raise WrongType("Send the body as application/json.")
    text = await whole(http)
    if not text.strip():
        raise InvalidRequest("The body is empty; it has to be JSON.", param="$")
    try:
        tree = integral(msgspec.json.decode(text))
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise wrong_shape(error, tree, kind) from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.", param="$") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}", param="$") from None


def integral(tree: Any) -> Any:
    """*tree* with whole numbers as integers: to JSON, ``3.0`` is the same number as ``3``."""
    if isinstance(tree, float):
        return int(tree) if tree.is_integer() and abs(tree) < EXACT else tree
    if isinstance(tree, list):
        return [integral(item) for item in tree]
    if isinstance(tree, dict):
        return {name: integral(item) for name, item in tree.items()}
    return tree


async def whole(http: web.BaseRequest) -> bytes:
    """The body, at most BODY_BYTES_MAX of it. Raises BodyTooLarge."""
    announced = http.content_length or 0
    pieces, size = [], 0
    if announced <= BODY_BYTES_MAX:
        async for piece in http.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > BODY_BYTES_MAX:
                break
    if max(announced, size) > BODY_BYTES_MAX:
        raise BodyTooLarge(f"The body is larger than {BODY_BYTES_MAX} bytes.")
    return b"".join(pieces)


def wrong_shape(error: msgspec.ValidationError, tree: Any, kind: Any) -> InvalidRequest:
    """Every mistake of *tree*, which is no *kind*; what msgspec says where that is clearer."""
    fields = getattr(get_origin(kind) or kind, "__struct_fields__", ())
    if "value" in fields and isinstance(tree, dict) and "value" not in tree:
        others = ", ".join(repr(name) for name in tree if name != "id") or "what it shall be"
        return InvalidRequest(
            f'"value" is missing: {others} stands in {{"value": {{…}}}}', param="$"
        )
    found = mistakes(tree, kind)
    if not found:
        message, path = parted(error)
        return InvalidRequest(message, param=path)
    told = "; ".join(f"{one.path}: {one.message}" for one in found[:MISTAKES_MAX])
    return InvalidRequest(told if len(found) > 1 else found[0].message, param=found[0].path)


def parted(error: msgspec.ValidationError) -> tuple[str, str]:
    """What msgspec says, and the path that it says it of."""
    message, _, path = str(error).rpartition(" - at `")
    return (message, path.rstrip("`")) if message else (str(error), "$")


def read_expected(http: web.BaseRequest) -> int | None:
    """
    The version in ``If-Match``.

    Raises:
        InvalidRequest: it is no version of ours.
    """
    text = http.headers.get("If-Match")
    if text is None or text == "*":
        return None
    if not ETAG.fullmatch(text):
        raise InvalidRequest("If-Match is the ETag of an earlier answer.", param="If-Match")
    return int(text.strip('"'))


def read_once(http: web.BaseRequest, *, needed: bool) -> str:
    """
    The ``Idempotency-Key``.

    Raises:
        InvalidRequest: it is missing where it is *needed*, or too long.
    """
    once = http.headers.get("Idempotency-Key", "").strip()
    if needed and not once:
        raise InvalidRequest(
            "Send an Idempotency-Key, so that repeating this changes nothing.",
            param="Idempotency-Key",
        )
    if len(once) > ONCE_CHARS_MAX or not once.isascii() or not once.isprintable():
        raise InvalidRequest(
            f"An Idempotency-Key has at most {ONCE_CHARS_MAX} printable ASCII characters.",
            param="Idempotency-Key",
        )
    return once
