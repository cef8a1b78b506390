"""Problems and their wording."""

from __future__ import annotations

import pytest

from gateway.config.problem import ConfigErrors, Problem, hint, unknown


def test_config_errors_read_as_one_line_per_problem():
    """The text of the error is what a terminal shows."""
    errors = ConfigErrors(iter([Problem("$.a", "wrong"), Problem("$.b", "missing")]))

    assert str(errors) == "$.a: wrong\n$.b: missing"
    assert errors.problems == (Problem("$.a", "wrong"), Problem("$.b", "missing"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blanced", "no mode is called 'blanced'; did you mean 'balanced'?"),
        ("BALANCE", "no mode is called 'BALANCE'; did you mean 'balanced'?"),
        ("turbo", "no mode is called 'turbo'"),
    ],
)
def test_unknown_suggests_only_what_is_close(name, message):
    """A guess is made when it is a good one."""
    assert unknown("mode", name, ["eco", "balanced"]) == message


def test_hint_without_candidates():
    """Nothing to choose from is no hint."""
    assert hint("x", []) == ""
