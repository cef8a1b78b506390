"""A YAML file and the environment into the typed configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.config.decode import decode, mistake
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.schema import Config, Server
from gateway.config.yaml_tree import parse

__all__ = ["ConfigErrors", "Problem", "load"]

FILE_BYTES_MAX = 4 * 2**20  # thousands of rules; more is another file by mistake
PORT = next(
    field.type
    for field in msgspec.inspect.type_info(Server).fields  # type: ignore[attr-defined]
    if field.name == "port"
)


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """
    The configuration in the file *path*, the defaults without one. SWITCHYARD_HOST and
    SWITCHYARD_PORT win over the file, so that a container needs no file of its own.

    Raises:
        ConfigErrors: every mistake of form; ``check`` finds those of meaning.
    """
    problems: list[Problem] = []
    port = _port(environ, problems)
    config, sound = Config(), None
    try:
        if path is not None:
            tree, duplicates = parse(_read(path))
            problems += duplicates
            config = decode(tree)
    except ConfigErrors as errors:
        problems += errors.problems
        sound = errors.sound
    if problems:
        raise ConfigErrors(problems, sound)
    host = environ.get("SWITCHYARD_HOST") or config.server.host
    server = msgspec.structs.replace(
        config.server, host=host, port=config.server.port if port is None else port
    )
    return msgspec.structs.replace(config, server=server)


def _port(environ: Mapping[str, str], problems: list[Problem]) -> int | None:
    text = environ.get("SWITCHYARD_PORT", "")
    if not text:
        return None
    port = int(text) if text.isascii() and text.isdigit() else text
    if message := mistake(port, PORT):
        problems.append(Problem("SWITCHYARD_PORT", message))
    return port if isinstance(port, int) else None


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > FILE_BYTES_MAX:
            message = f"{path} has {len(data)} bytes, more than {FILE_BYTES_MAX}"
            raise ConfigErrors([Problem("$", message)])
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: byte {error.start} cannot be read"
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
    raise ConfigErrors([Problem("$", message)])
