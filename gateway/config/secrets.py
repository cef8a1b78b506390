"""Secrets: written in the configuration as references, held in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SCHEMES = ("env:", "file:")


class SecretError(Exception):
    """A reference that leads to no usable secret. The message never holds the secret."""


class Secret(str):
    """A resolved secret: an ordinary string that does not show itself in a repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


def is_reference(text: str) -> bool:
    """Whether *text* names a secret instead of being one."""
    return text.startswith(SCHEMES)


def resolve(reference: str, environ: Mapping[str, str]) -> Secret:
    """
    The secret that *reference* names: ``env:NAME`` or ``file:PATH``, whose last line break is not
    part of it.

    Raises:
        SecretError: not a reference, nothing there, or nothing that a header may hold.
    """
    scheme, _, name = reference.partition(":")
    if not is_reference(reference) or not name:
        raise SecretError("a secret is written as env:NAME or file:PATH, never itself")
    value = environ.get(name) if scheme == "env" else _read(name)
    if value is None:
        raise SecretError(f"the environment variable {name} is not set")
    if not value:
        raise SecretError(f"{reference} is empty")
    if not value.isascii() or not value.isprintable():
        raise SecretError(f"{reference} holds a character that no HTTP header may hold")
    return Secret(value)


def resolve_text(text: str, environ: Mapping[str, str]) -> str:
    """*text* itself, or the secret where it is a reference. Raises SecretError."""
    return resolve(text, environ) if is_reference(text) else text


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"file:{path} is not text") from None
    except OSError as error:
        raise SecretError(f"file:{path} cannot be read: {error.strerror}") from None
