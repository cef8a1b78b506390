"""Windows as a configuration names them."""

from __future__ import annotations

import pytest

from gateway.core.limits import Span, Window, parse_window


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("minute", Window(Span.MINUTE)),
        ("month", Window(Span.MONTH)),
        ("lifetime", Window(Span.LIFETIME)),
        ("rolling 3600", Window(Span.ROLLING, 3600)),
        ("rolling 90m", Window(Span.ROLLING, 5400)),
        ("rolling 5h", Window(Span.ROLLING, 18_000)),
        ("rolling 366d", Window(Span.ROLLING, 366 * 86_400)),
    ],
)
def test_a_window_is_named(text: str, window: Window) -> None:
    """The calendar's by name, rolling ones by their length; each names itself again."""
    assert parse_window(text) == window
    assert parse_window(str(window)) == window


@pytest.mark.parametrize(
    "text", ["", "now", "year", "Day", "rolling", "rolling 1.5h", "rolling -5"]
)
def test_what_names_no_window_is_told_what_does(text: str) -> None:
    """The message lists all names and shows a rolling one."""
    with pytest.raises(ValueError, match=r"is no window: .*minute, hour.*rolling 5h") as refused:
        parse_window(text)
    assert ", now" not in str(refused.value)


@pytest.mark.parametrize("text", ["rolling 0", "rolling 367d", "rolling 99999999999999"])
def test_a_rolling_window_has_a_length(text: str) -> None:
    """From a second to a leap year; the message has both numbers."""
    with pytest.raises(ValueError, match="1 to 31622400 seconds, not "):
        parse_window(text)
