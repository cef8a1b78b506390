"""What a reload refuses, and what it names as waiting for a restart."""

from __future__ import annotations

import datetime

import pytest

from gateway.config.changes import needing_restart, refusal
from gateway.config.settings import read_settings

ON = datetime.date(2026, 11, 25)
ENVIRON = {"A": "key-a", "B": "key-b", "OPENAI_API_KEY": "sk"}
KEYS = "keys: [{id: a, secret: env:A}]\n"
SIMULATED = "simulation: {enabled: on}\nproviders: {openai: {simulated: true}}\n"


@pytest.fixture
def read(tmp_path):
    """Reads settings from the text of a file."""

    def settings(text="", environ=ENVIRON):
        path = tmp_path / "switchyard.yaml"
        path.write_text(text)
        return read_settings(path, environ, on=ON)

    return settings


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (KEYS, "", "no keys"),
        (KEYS, "keys: []", "no keys"),
        ("", SIMULATED, "simulated"),
    ],
)
def test_what_a_reload_refuses(read, before, after, word):
    """An empty file neither opens the door nor turns real answers into made-up ones."""
    reason = refusal(read(before), read(after))

    assert word in reason
    assert "restart to do that" in reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("", KEYS),
        (KEYS, "keys: [{id: b, secret: env:B}]"),
        (SIMULATED, ""),
        (SIMULATED, SIMULATED),
        (SIMULATED + KEYS, SIMULATED + KEYS),
    ],
)
def test_what_a_reload_may_do(read, before, after):
    """Other keys, first keys and first real providers take effect."""
    assert refusal(read(before), read(after)) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("server: {port: 1, drain_s: 1}", ("server.port",)),
        ("server: {host: 127.0.0.2, requests_max: 1}", ("server.host", "server.requests_max")),
        ("providers: {openai: {connections_max: 3}}", ("providers.openai.connections_max",)),
        ("state: {database_url: 'sqlite:///x.db'}", ("state",)),
        ("recording: {queue_max: 900}", ("recording.queue_max",)),
        ("recording: {spool_bytes_max: 2000000}", ("recording.spool_bytes_max",)),
        ("recording: {text: true, keep_days: 1}", ()),
        ("classifier: {enabled: false}", ("classifier",)),
        ("simulation: {speed: 0}\nrouting: {answer_model: asked}", ()),
    ],
)
def test_what_needs_a_restart(read, text, names):
    """Only what is read once; the rest takes effect."""
    assert needing_restart(read(), read(text)) == names
