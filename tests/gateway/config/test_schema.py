"""The values of the schema: whether modes and qualities mean what they say."""

from __future__ import annotations

import pytest

from gateway.config.schema import (
    CLASS_QUALITY,
    MODE_ALIASES,
    MODES,
    VIRTUAL_MODELS,
    Routing,
)
from gateway.core.fleet import ModelClass
from models.scores import TIERS

CLASSES = list(ModelClass)  # by falling price advantage


def least_able(mode, tier):
    """The class that just reaches the floor of *mode* on *tier*."""
    floor = getattr(MODES[mode].floors, tier)
    return next(rank for rank in CLASSES if getattr(CLASS_QUALITY[rank], tier) >= floor)


@pytest.mark.parametrize(
    ("mode", "classes"),
    [
        ("balanced", ("efficient", "balanced", "premium")),
        ("eco", ("efficient", "efficient", "balanced")),
        ("sport", ("efficient", "balanced", "premium")),
        ("speed", ("efficient", "efficient", "balanced")),
        ("quality", ("efficient", "balanced", "premium")),
    ],
)
def test_floors_sit_between_the_classes(mode, classes):
    """Low, medium and high prompts need these classes at least."""
    assert tuple(least_able(mode, tier) for tier in TIERS) == classes


@pytest.mark.parametrize("tier", TIERS)
def test_a_higher_class_promises_more(tier):
    """On every tier."""
    promised = [getattr(CLASS_QUALITY[rank], tier) for rank in CLASSES]

    assert promised == sorted(set(promised))


def test_every_name_of_a_mode_leads_to_one():
    """Aliases and virtual models stand for built-in modes."""
    assert {*MODE_ALIASES.values(), *VIRTUAL_MODELS.values()} <= MODES.keys()


def test_every_mode_has_something_to_choose_by():
    """A mode of zero weights would take any model."""
    assert all(mode.quality_weight or mode.usd_weight or mode.s_weight for mode in MODES.values())


def test_virtual_models_are_added_to_the_built_in_ones():
    """As modes are; one that is stated, in whatever case, replaces its namesake."""
    virtual = Routing(virtual_models={"review": "sport", "Auto": "eco"}).virtual_models

    assert virtual["review"] == "sport"
    assert virtual["Auto"] == "eco"
    assert "auto" not in virtual
    assert virtual.keys() >= VIRTUAL_MODELS.keys() - {"auto"}
    assert Routing().virtual_models == VIRTUAL_MODELS
