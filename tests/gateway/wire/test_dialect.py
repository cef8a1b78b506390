"""Tests of gateway.wire.dialect and of what holds for every dialect in gateway.wire.registry."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.chat import Answer, Chat
from gateway.core.errors import InvalidRequest, SwitchyardError, UpstreamError
from gateway.wire import sse
from gateway.wire.dialect import Dialect, Losses, Mark, Problem
from gateway.wire.registry import DIALECTS
from tests.gateway.wire import golden
from tests.gateway.wire.chats import json_values, nearly

CHAT = ("openai_chat", "anthropic_messages")
BODIES = {
    "openai_chat": json.loads(golden.read("openai_request.json")),
    "anthropic_messages": json.loads(golden.read("anthropic_request.json")),
    "openai_completions": {"model": "m", "prompt": ["a", [1]], "n": 1, "stop": ["x"]},
    "openai_embeddings": {"model": "m", "input": ["a", "b"], "dimensions": 8},
}
every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
chat_dialects = pytest.mark.parametrize("dialect", [DIALECTS[name] for name in CHAT], ids=CHAT)


def reads_or_refuses(dialect: Dialect, body: bytes) -> None:
    """Reading either works or says that the request is at fault."""
    with suppress(InvalidRequest):
        assert isinstance(dialect.read(body), Chat)


@every_dialect
def test_registry_names(dialect: Dialect) -> None:
    """A dialect is found by its own name, and its path can follow a base URL."""
    assert DIALECTS[dialect.name] is dialect
    assert dialect.path.startswith("/")
    assert dialect.family in ("openai", "anthropic")


@every_dialect
@given(body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_read_refuses_anything_politely(dialect: Dialect, body: bytes) -> None:
    """Whatever the bytes, read gives a chat or an InvalidRequest."""
    reads_or_refuses(dialect, body)


@every_dialect
@given(data=st.data())
def test_read_refuses_nearly_right_bodies_politely(dialect: Dialect, data: st.DataObject) -> None:
    """A body with one value of any kind in the wrong place gives a chat or an InvalidRequest."""
    reads_or_refuses(dialect, data.draw(nearly(BODIES[dialect.name])))


@every_dialect
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b'{"model":"m","x":"\xff"}',
        b'{"model":"m","x":"\\ud800"}',
        b'{"model":"m","x":1e999,"temperature":1e999}',
        b'{"model":"m","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"model":"m","input":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
def test_read_refuses_hostile_bodies(dialect: Dialect, body: bytes) -> None:
    """Broken encodings, broken escapes and bottomless nesting are refused."""
    with pytest.raises(InvalidRequest):
        dialect.read(body)


@every_dialect
def test_a_model_has_a_name_of_some_length(dialect: Dialect) -> None:
    """What is longer would fill records, and is refused by name; it is never repeated."""
    body = BODIES[dialect.name] | {"model": "é" * 256}
    assert dialect.read(json.dumps(body).encode()).model == "é" * 256
    with pytest.raises(InvalidRequest, match=r"model: Expected str of length <= 256\.") as caught:
        dialect.read(json.dumps(body | {"model": "é" * 257}).encode())

    assert caught.value.param == "model"


@chat_dialects
@given(data=st.data())
def test_what_reads_can_be_written_and_forwarded(dialect: Dialect, data: st.DataObject) -> None:
    """Whatever was read is valid JSON in every chat dialect and when it is forwarded."""
    body = data.draw(nearly(BODIES[dialect.name]))
    try:
        chat = dialect.read(body)
    except InvalidRequest:
        return

    for name in CHAT:
        written, losses = DIALECTS[name].write(chat, model="other", max_tokens=100)
        assert json.loads(written)["model"] == "other"
        assert all(loss.count(";") >= 2 for loss in losses)
    for keep in (True, False):
        forwarded = dialect.forward(body, model="other", include_usage=True, keep_thinking=keep)
        assert json.loads(forwarded)["model"] == "other"


@chat_dialects
@given(body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_reading_an_upstream_never_surprises(dialect: Dialect, body: bytes) -> None:
    """Whatever an upstream sends: an UpstreamError, no usage, or a Problem, and nothing else."""
    event = b"event: message_delta\ndata: " + body + b"\n\n"
    with suppress(UpstreamError):
        assert isinstance(dialect.read_answer(body), Answer)
    dialect.read_usage(body)
    assert isinstance(dialect.read_error(500, body), Problem)
    assert isinstance(dialect.watch().feed(event), int)
    assert isinstance(dialect.stream_reader().read(event), list)


@every_dialect
@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, SwitchyardError)
    ],
    ids=lambda kind: kind.__name__,
)
def test_error_bodies(dialect: Dialect, kind: type[SwitchyardError]) -> None:
    """Every error has a status and a body of the family, whose message reads back."""
    error = kind("What went wrong.", param="messages[0]")

    status, body = dialect.error_body(error, "req_1")
    said = json.loads(body)

    assert 400 <= status <= 529
    assert dialect.read_error(status, body).message == "What went wrong."
    if dialect.family == "anthropic":
        assert (said["type"], said["request_id"]) == ("error", "req_1")
        assert set(said["error"]) == {"type", "message"}
    else:
        assert set(said["error"]) == {"message", "type", "param", "code", "metadata"}
        assert (said["error"]["code"], status) == (error.code, error.status)
        assert said["error"]["metadata"] == {"request_id": "req_1"}


@every_dialect
def test_error_bodies_of_an_upstream_pass(dialect: Dialect) -> None:
    """The body that the upstream sent in the client's own dialect is passed on as it is."""
    error = errors.UpstreamRefused("Too long.", status=422, body=b'{"its":"own"}')

    assert dialect.error_body(error, "req_1") == (422, b'{"its":"own"}')


@chat_dialects
def test_stream_errors_end_a_watched_stream(dialect: Dialect) -> None:
    """Our own error event is understood by our own watch, and by our own reader."""
    event = dialect.stream_error(UpstreamError("It broke."), "req_1")

    assert dialect.watch().feed(event) == Mark.ERROR
    assert dialect.read_error(200, sse.data(event)).message == "It broke."


@pytest.mark.parametrize("name", ["openai_completions", "openai_embeddings"])
def test_untranslated_dialects_refuse(name: str) -> None:
    """Endpoints that are passed through only say which deployments can serve them."""
    dialect = DIALECTS[name]
    chat = Chat(model="m", turns=())
    asks = [
        lambda: dialect.write(chat, model="m", max_tokens=1),
        lambda: dialect.read_answer(b"{}"),
        lambda: dialect.stream_reader(),
        lambda: dialect.stream_writer("id", "m", created_s=0, include_usage=False),
    ]

    for ask in asks:
        with pytest.raises(InvalidRequest, match=f"as {name}") as caught:
            ask()
        assert caught.value.code == "endpoint_not_translated"


def test_losses_are_named_once_in_order() -> None:
    """A loss is named once, however often it was met."""
    losses = Losses()
    losses.dropped("seed")
    losses.approximated("max_tokens", "clamped")
    losses.dropped("seed")

    assert losses.named() == ("dropped;unsupported;seed", "approximated;clamped;max_tokens")
