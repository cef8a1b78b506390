"""What a client gets of an upstream's stream."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import Finish, Usage
from gateway.core.errors import UpstreamError
from gateway.execute.feeds import Feed, Passed, Translated, usage_of
from gateway.wire.dialect import MALFORMED
from gateway.wire.registry import DIALECTS
from tests.fakes.upstream import DONE, ERROR, ROLE, USAGE, chat_event

OPENAI = DIALECTS["openai_chat"]
ANTHROPIC = DIALECTS["anthropic_messages"]
GOLDEN = Path(__file__).parents[2] / "contracts" / "golden"
TEXT = ROLE + chat_event("Hel") + chat_event("lo") + chat_event(finish="stop") + USAGE + DONE
WITHOUT_USAGE = TEXT.replace(USAGE, b"")


def passed(drop_usage: bool = True, model: str | None = None, limit: int = 10_000) -> Passed:
    return Passed(OPENAI, limit, drop_usage=drop_usage, model=model)


def translated(include_usage: bool = False) -> Translated:
    return Translated(
        ANTHROPIC,
        OPENAI,
        100_000,
        answer_id="req_1",
        model="m",
        created_s=1,
        include_usage=include_usage,
    )


def fed(feed: Feed, *chunks: bytes) -> bytes:
    """All that the client gets of *chunks* and the end of the stream."""
    return b"".join([*map(feed.take, chunks), feed.close()])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_passed_is_byte_for_byte_however_it_is_cut(cuts: list[int]) -> None:
    """However the network cuts the stream, the client gets its bytes, less our own usage event."""
    places = [0, *sorted(cuts), len(TEXT)]
    chunks = [TEXT[a:b] for a, b in itertools.pairwise(places)]
    feed = passed()

    assert fed(feed, *filter(None, chunks)) == WITHOUT_USAGE
    assert feed.usage == Usage(tokens_in=11, tokens_out=7)
    assert feed.finish is Finish.STOP
    assert feed.over
    assert not feed.unfinished


def test_passed_keeps_usage_that_was_asked_for() -> None:
    """The client's own wish is not ours to drop."""
    assert fed(passed(drop_usage=False), TEXT) == TEXT


def test_passed_keeps_usage_beside_a_choice() -> None:
    """An event with a choice is for the client, whatever else it says."""
    last = chat_event(finish="stop").replace(
        b'"choices"', b'"usage":{"prompt_tokens":5,"completion_tokens":1},"choices"'
    )
    feed = passed()

    assert fed(feed, chat_event("x"), last, DONE) == chat_event("x") + last + DONE
    assert feed.usage == Usage(tokens_in=5, tokens_out=1)


@pytest.mark.parametrize(
    ("pieces", "committed"),
    [
        ([ROLE], False),
        ([b": keep-alive\n\n"], False),
        ([ROLE, chat_event("x")], True),
        ([chat_event(finish="stop")], True),
        ([ROLE, USAGE], False),
        ([ERROR], False),
        ([DONE], False),  # an end without any finish is no answer
    ],
)
def test_passed_commits_with_the_first_content(pieces: list[bytes], committed: bool) -> None:
    """Before that another deployment may answer instead."""
    feed = passed()
    for piece in pieces:
        feed.take(piece)

    assert feed.committed is committed


def test_passed_ends_with_an_error_of_the_upstream() -> None:
    """The error is for the client; nothing behind it is, above all no clean end."""
    feed = passed()

    assert fed(feed, chat_event("x") + ERROR + DONE, DONE) == chat_event("x") + ERROR
    assert feed.problem is not None
    assert (feed.problem.message, feed.problem.kind) == ("boom", "server_error")


@pytest.mark.parametrize("end", [[DONE], [], [chat_event("y")[:40]]])
def test_passed_never_ends_cleanly_without_a_finish(end: list[bytes]) -> None:
    """[DONE] is withheld when nothing said why the answer ended, and torn events always are."""
    feed = passed()

    assert fed(feed, chat_event("x"), *end) == chat_event("x")
    assert feed.unfinished


@pytest.mark.parametrize("torn", [chat_event("y")[:50] + b"\n\n", b"data: Bad Gateway\n\n"])
def test_passed_ends_with_a_malformed_event(torn: bytes) -> None:
    """What an SDK would fail to parse never reaches it, nor does a clean end behind it."""
    feed = passed()
    end = chat_event(finish="stop") + DONE

    assert fed(feed, ROLE + chat_event("x") + torn + end, end) == ROLE + chat_event("x")
    assert feed.over
    assert feed.unfinished == MALFORMED
    assert feed.finish is None


def test_passed_ends_with_a_finish_and_no_done() -> None:
    """Some providers leave [DONE] out; the answer is whole all the same."""
    feed = passed()
    body = chat_event("x") + chat_event(finish="length")

    assert fed(feed, body) == body
    assert feed.over
    assert not feed.unfinished


def test_passed_completes_an_end_without_its_blank_line() -> None:
    """Others leave the last line end out."""
    feed = passed()

    assert fed(feed, chat_event(finish="stop"), b"data: [DONE]\n").endswith(DONE)
    assert not feed.unfinished


def test_passed_shows_the_model_that_was_asked_for() -> None:
    """In every event, and only in the member: words of the answer stay."""
    feed = passed(model='as"ked')
    words = chat_event("x").replace(b'"content":"x"', b'"content":"\\"model\\":\\"served-1\\""')

    shown = fed(feed, ROLE, words, chat_event(finish="stop"), DONE)

    assert shown == (ROLE + words + chat_event(finish="stop") + DONE).replace(
        b'"model":"served-1"', b'"model":"as\\"ked"'
    )
    assert b'\\"model\\":\\"served-1\\"' in shown


def test_passed_refuses_an_event_above_the_limit() -> None:
    """Nobody may make us hold more."""
    with pytest.raises(UpstreamError, match="the limit is 50"):
        passed(limit=50).take(chat_event("x" * 60))


def test_translated_stream() -> None:
    """The other dialect's stream becomes the client's, with its accounting."""
    feed = translated()

    shown = fed(feed, (GOLDEN / "anthropic_text.sse").read_bytes())

    assert shown.endswith(DONE)
    assert feed.committed
    assert feed.finish is not None
    assert feed.usage_final
    assert feed.content_chars > 0
    assert b"message_start" not in shown


@pytest.mark.parametrize("name", ["anthropic_cut.sse", "anthropic_error.sse"])
def test_translated_never_ends_cleanly_when_the_upstream_did_not(name: str) -> None:
    """A cut or an error is never a [DONE]."""
    feed = translated()

    shown = fed(feed, (GOLDEN / name).read_bytes())

    assert DONE not in shown
    assert feed.unfinished or feed.problem is not None
    assert feed.over


def test_translated_ends_with_a_finish_and_no_proper_end() -> None:
    """As when it is passed through: the finish is what counts."""
    feed = translated()
    body = (GOLDEN / "anthropic_text.sse").read_bytes()

    assert fed(feed, body.partition(b"event: message_stop")[0]).endswith(DONE)
    assert not feed.unfinished


def test_usage_of_a_stream_that_reported_it() -> None:
    """Reported usage is billed as it is."""
    feed = passed()
    fed(feed, TEXT)

    assert usage_of(feed, 13) == Usage(tokens_in=11, tokens_out=7)


def test_usage_of_a_stream_that_reported_none() -> None:
    """Four characters a token, rounded up, and marked as an estimate."""
    feed = passed()
    feed.take(chat_event("123456789"))

    assert usage_of(feed, 13) == Usage(tokens_in=13, tokens_out=3, estimated=True)


def test_usage_of_a_stream_that_reported_its_input() -> None:
    """What was reported of the input is kept, the answer is estimated."""
    feed = Passed(ANTHROPIC, 10_000, drop_usage=False, model=None)
    feed.take(
        b'event: message_start\ndata: {"type":"message_start","message":{"usage":'
        b'{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":1}}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"12345678"}}\n\n'
    )

    usage = usage_of(feed, 13)

    assert (usage.tokens_in, usage.tokens_cache_read, usage.tokens_out) == (100, 90, 2)
    assert usage.estimated
