"""A file and the environment into the configuration."""

from __future__ import annotations

import pytest

from gateway.config.load import FILE_BYTES_MAX, ConfigErrors, load
from gateway.config.problem import Problem
from gateway.config.schema import Config


@pytest.fixture
def file(tmp_path):
    """Writes a configuration and returns its path."""

    def write(content: str | bytes):
        path = tmp_path / "switchyard.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def problems(path, environ=None):
    """What loading *path* complains about."""
    with pytest.raises(ConfigErrors) as caught:
        load(path, environ or {})
    return caught.value.problems


def test_load_without_a_file_is_the_defaults():
    """Nothing needs to be written down."""
    assert load(None, {}) == Config()


def test_load_reads_a_file(file):
    """A byte order mark does no harm."""
    config = load(file("\ufeffserver: {port: 9000}"), {})

    assert config.server.port == 9000


def test_the_environment_wins_over_the_file(file):
    """Host and port may come from outside, and an empty variable says nothing."""
    path = file("server: {host: 127.0.0.2, port: 9000, requests_max: 7}")

    config = load(path, {"SWITCHYARD_HOST": "127.0.0.3", "SWITCHYARD_PORT": "0"})
    same = load(path, {"SWITCHYARD_HOST": "", "SWITCHYARD_PORT": ""})

    assert (config.server.host, config.server.port) == ("127.0.0.3", 0)
    assert config.server.requests_max == 7
    assert (same.server.host, same.server.port) == ("127.0.0.2", 9000)


@pytest.mark.parametrize(
    ("port", "shown"), [("http", "'http'"), ("70000", "70000"), ("-1", "'-1'")]
)
def test_a_wrong_port_in_the_environment(port, shown):
    """The variable is named as the place."""
    message = f"expected a whole number from 0 to 65535, got {shown}"

    assert problems(None, {"SWITCHYARD_PORT": port}) == (Problem("SWITCHYARD_PORT", message),)


def test_load_collects_everything_at_once(file):
    """Environment, duplicate keys and wrong types are reported together."""
    path = file("server: {port: x}\nrouting: {mode: eco, mode: 3}\n")

    assert [found.path for found in problems(path, {"SWITCHYARD_PORT": "x"})] == [
        "SWITCHYARD_PORT",
        "$.routing.mode",
        "$.server.port",
        "$.routing.mode",
    ]


def test_load_of_a_missing_file(tmp_path):
    """The path stands in the message."""
    path = tmp_path / "none.yaml"

    assert problems(path) == (Problem("$", f"{path} cannot be read: No such file or directory"),)


def test_load_of_bytes_that_are_no_text(file):
    """The first wrong byte is named."""
    path = file(b"a: \xff")

    assert problems(path) == (Problem("$", f"{path} is not UTF-8: byte 3 cannot be read"),)


def test_load_of_a_file_that_is_too_large(file):
    """Another file by mistake is not parsed; both numbers are told."""
    path = file(b"#" * (FILE_BYTES_MAX + 1))

    message = f"{path} has {FILE_BYTES_MAX + 1} bytes, more than {FILE_BYTES_MAX}"
    assert problems(path) == (Problem("$", message),)
