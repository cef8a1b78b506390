"""What a reply says of the cache, in both families."""

from __future__ import annotations

from lockllm import parse_proxy_metadata

from gateway.api.cache_headers import lockllm_cache_headers, our_cache_headers
from gateway.cache.note import Note, Status
from gateway.core.chat import Usage
from gateway.core.outcome import Saved

HIT = Note(Status.HIT, saved=Saved(Usage(tokens_in=11, tokens_out=7), 97_500, age_s=61.9))


def test_nothing_is_said_unasked():
    """A client that knows of no cache sees none."""
    assert our_cache_headers(None) == lockllm_cache_headers(None) == []


def test_a_hit_says_what_it_saved():
    """Whole seconds, tokens of both ways, and USD; the standard name of the age too."""
    assert our_cache_headers(HIT) == [
        ("X-Switchyard-Cache-Status", "HIT"),
        ("X-Switchyard-Cache-Age", "61"),
        ("X-Switchyard-Tokens-Saved", "18"),
        ("X-Switchyard-Cost-Saved", "0.0000975"),
        ("Age", "61"),
    ]


def test_lockllm_reads_a_hit():
    """The published client's own parser is the contract."""
    told = parse_proxy_metadata(dict(lockllm_cache_headers(HIT)))

    assert (told.cache_status, told.cache_age, told.tokens_saved) == ("HIT", 61, 18)
    assert told.cost_saved == 0.0000975


def test_a_bypass_has_its_reason():
    """LockLLM knows no such word: nothing came from the cache."""
    note = Note(Status.BYPASS, "tools")
    told = parse_proxy_metadata(dict(lockllm_cache_headers(note)))

    assert our_cache_headers(note) == [
        ("X-Switchyard-Cache-Status", "BYPASS"),
        ("X-Switchyard-Cache-Reason", "tools"),
    ]
    assert (told.cache_status, told.cache_age, told.cost_saved) == ("MISS", None, None)
