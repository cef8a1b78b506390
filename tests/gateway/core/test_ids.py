"""Request ids."""

from __future__ import annotations

import re

from gateway.core.ids import REQUEST_ID_CHARS, request_id


def test_request_id_has_only_safe_characters():
    """An id goes into URLs, headers and rows as it is."""
    made = request_id(1_700_000_000.25)

    assert re.fullmatch(r"req_[0-9a-f]{32}", made)
    assert len(made) == REQUEST_ID_CHARS


def test_request_ids_sort_by_time():
    """The milliseconds come first, with all their digits."""
    times_s = [0.0, 0.001, 1_700_000_000.0, 1_700_000_000.001, 9_999_999_999.0]

    ids = [request_id(wall_s) for wall_s in times_s]

    assert ids == sorted(ids)


def test_request_ids_of_one_moment_differ():
    """80 bits are random."""
    assert len({request_id(1_700_000_000.0) for _ in range(100)}) == 100
