"""Assumptions before anything is measured."""

from __future__ import annotations

from gateway.core.fleet import ModelClass
from gateway.decide.priors import LATENCY_S, TOKENS_OUT
from models.scores import TASK_TYPES


def test_every_task_has_a_length_that_grows_with_the_tier():
    """Harder prompts have longer answers, of every task type."""
    assert tuple(TOKENS_OUT) == TASK_TYPES
    for low, medium, high in TOKENS_OUT.values():
        assert 0 < low < medium < high


def test_bigger_classes_are_slower():
    """Every class has both latencies, in the order of size."""
    assert list(LATENCY_S.values()) == sorted(LATENCY_S.values())
    assert set(LATENCY_S) == set(ModelClass)
