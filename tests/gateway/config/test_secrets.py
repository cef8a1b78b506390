"""References to secrets."""

from __future__ import annotations

import pytest

from gateway.config.secrets import Secret, SecretError, is_reference, resolve, resolve_text


def test_resolve_reads_the_environment():
    """env:NAME is the value of a variable."""
    assert resolve("env:KEY", {"KEY": "sk-1"}) == "sk-1"


@pytest.mark.parametrize("written", ["sk-1", "sk-1\n", "sk-1\r\n"])
def test_resolve_reads_a_file(tmp_path, written):
    """file:PATH is the content of a file, less one line break at its end."""
    path = tmp_path / "key"
    path.write_bytes(written.encode())

    assert resolve(f"file:{path}", {}) == "sk-1"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("sk-live-1", "a secret is written as env:NAME or file:PATH, never itself"),
        ("vault:x", "a secret is written as env:NAME or file:PATH, never itself"),
        ("env:", "a secret is written as env:NAME or file:PATH, never itself"),
        ("env:NONE", "the environment variable NONE is not set"),
        ("env:EMPTY", "env:EMPTY is empty"),
        ("env:LINES", "env:LINES holds a character that no HTTP header may hold"),
        ("env:UMLAUT", "env:UMLAUT holds a character that no HTTP header may hold"),
        ("file:/no/such", "file:/no/such cannot be read: No such file or directory"),
        ("file:/", "file:/ cannot be read: Is a directory"),
    ],
)
def test_resolve_says_what_is_wrong(reference, message):
    """Every way to fail has its words, and none repeats a secret."""
    environ = {"EMPTY": "", "LINES": "sk-live-1\nx", "UMLAUT": "sk-live-1ä"}

    with pytest.raises(SecretError) as caught:
        resolve(reference, environ)

    assert str(caught.value) == message
    assert "sk-live-1" not in str(caught.value)


def test_resolve_refuses_a_binary_file(tmp_path):
    """A file that is no text is a mistake, not a key."""
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(SecretError, match="is not text"):
        resolve(f"file:{path}", {})


def test_secret_hides_in_a_repr():
    """Whatever holds a secret shows only that it does."""
    secret = resolve("env:KEY", {"KEY": "sk-1"})

    assert isinstance(secret, Secret)
    assert "sk-1" not in repr({"key": secret, "more": [secret]})


def test_resolve_text_leaves_plain_text_alone():
    """A header value may be a secret or just a value."""
    assert resolve_text("plain", {}) == "plain"
    assert resolve_text("env:KEY", {"KEY": "sk-1"}) == "sk-1"
    assert not is_reference("plain")
