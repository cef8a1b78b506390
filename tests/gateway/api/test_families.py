"""The tables of what clients may say."""

from __future__ import annotations

from gateway.api.families import (
    PREFIXES,
    header_settings,
    own_settings,
)
from gateway.api.vocabulary import mode_names
from gateway.core.request import Controls


def test_every_setting_is_a_control():
    """A misspelt field would be a control that nobody reads."""
    settings = [*header_settings(mode_names()).values(), *own_settings(mode_names()).values()]

    assert {s.field for s in settings} <= set(Controls.__struct_fields__)


def test_headers_of_a_family_have_its_prefix():
    """Then what is unknown under the prefix is a header of that family too."""
    for name, setting in header_settings(mode_names()).items():
        if setting.family:
            assert setting.family == next(f for p, f in PREFIXES.items() if name.startswith(p))
