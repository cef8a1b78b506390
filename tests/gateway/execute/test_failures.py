"""What upstreams say went wrong, in our words."""

from __future__ import annotations

import pytest

from gateway.core.errors import Overloaded
from gateway.core.outcome import Failure
from gateway.core.transport import TransportError
from gateway.execute.failures import (
    WORDS_CHARS_MAX,
    Failed,
    failed_status,
    failed_stream,
    failed_transport,
    retry_after_s,
    words_of,
)
from gateway.wire.dialect import Problem

WALL_S = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "code", "headers", "failure"),
    [
        (400, "", {}, Failure.REFUSED),
        (400, "context_length_exceeded", {}, Failure.REFUSED),
        (400, "model_not_found", {}, Failure.DENIED),
        (413, "", {}, Failure.REFUSED),
        (422, "", {}, Failure.REFUSED),
        (401, "", {}, Failure.DENIED),
        (402, "", {}, Failure.DENIED),
        (403, "", {}, Failure.DENIED),
        (404, "", {}, Failure.DENIED),
        (301, "", {}, Failure.DENIED),  # a wrong base URL
        (408, "", {}, Failure.LATE),
        (409, "", {}, Failure.BROKEN),
        (429, "", {}, Failure.THROTTLED),
        (429, "insufficient_quota", {}, Failure.DENIED),  # waiting does not cure it
        (529, "", {}, Failure.THROTTLED),
        (500, "", {}, Failure.BROKEN),
        (500, "overloaded_error", {}, Failure.THROTTLED),
        (502, "", {}, Failure.BROKEN),
        (503, "", {}, Failure.BROKEN),
        (503, "", {"retry-after": "3"}, Failure.THROTTLED),
        (504, "", {}, Failure.LATE),
        (599, "", {}, Failure.BROKEN),
    ],
)
def test_failed_status(status: int, code: str, headers: dict[str, str], failure: Failure) -> None:
    """The status decides, unless the upstream's own word says more."""
    failed = failed_status(status, headers, Problem("m", "", code), b"body", WALL_S)

    assert failed.failure is failure
    assert (failed.status, failed.body) == (status, b"body")


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("server_error", Failure.BROKEN),
        ("", Failure.BROKEN),
        ("overloaded_error", Failure.THROTTLED),
        ("invalid_request_error", Failure.REFUSED),
        ("authentication_error", Failure.DENIED),
    ],
)
def test_failed_stream(kind: str, failure: Failure) -> None:
    """Inside a stream there is no status, only words."""
    assert failed_stream(Problem("m", kind)).failure is failure


@pytest.mark.parametrize(
    ("kind", "failure", "blameless"),
    [
        ("connect", Failure.BROKEN, False),
        ("lost", Failure.BROKEN, False),
        ("malformed", Failure.BROKEN, False),
        ("late", Failure.LATE, False),
        ("busy", Failure.LATE, True),  # our own limit
    ],
)
def test_failed_transport(kind: str, failure: Failure, blameless: bool) -> None:
    """Who is full is at fault: no deployment is blamed for our own limit."""
    failed = failed_transport(TransportError(kind, "m"))

    assert (failed.failure, failed.blameless) == (failure, blameless)
    assert isinstance(failed.error, Overloaded) is (kind == "busy")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),  # in the past
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_retry_after_s(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds before seconds before dates; nonsense is nothing."""
    assert retry_after_s(headers, WALL_S) == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 422, 429, 500, 503, 529])
def test_failed_status_keeps_the_prompt_out_of_records(status: int) -> None:
    """An upstream may quote the prompt or a key: only its kind and code are kept."""
    problem = Problem("Invalid value: 'my secret'", "invalid_request_error", "bad_value")

    assert (
        failed_status(status, {}, problem, b"", WALL_S).words == "invalid_request_error bad_value"
    )


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem("My secret", "server_error", "busy-1.2"), "server_error busy-1.2"),
        (Problem("My secret", "My secret", "1305"), "1305"),
        (Problem("My secret", "x" * 65), ""),
        (Problem("My secret"), ""),
    ],
)
def test_words_of(problem: Problem, words: str) -> None:
    """A sentence where a name should be is no name."""
    assert words_of(problem) == words


def test_failed_cuts_words() -> None:
    """Nothing fills our records."""
    assert len(Failed(Failure.BROKEN, "x" * 5000).words) == WORDS_CHARS_MAX


@pytest.mark.parametrize(
    ("status", "code", "of_key"),
    [
        (401, "", True),
        (402, "", True),
        (403, "", True),
        (429, "", True),
        (429, "insufficient_quota", True),
        (400, "invalid_api_key", True),  # Gemini's status for a bad key
        (403, "model_not_found", False),  # the key serves other models
        (404, "", False),
        (301, "", False),
        (529, "", False),  # the provider's own trouble
        (400, "", False),
        (500, "", False),
    ],
)
def test_failed_of_key(status: int, code: str, of_key: bool) -> None:
    """What another key need not meet with."""
    failed = failed_status(status, {}, Problem("", code=code), b"", WALL_S)

    assert failed.of_key is of_key


def test_failed_of_key_in_a_stream() -> None:
    """There only words tell."""
    assert failed_stream(Problem("", kind="rate_limit_error")).of_key
    assert not failed_stream(Problem("", kind="overloaded_error")).of_key
    assert not Failed(Failure.LATE, "Nothing").of_key
