"""Guard and encoder weighed against each other, and the thresholds of the scan."""

from __future__ import annotations

import msgspec
import pytest

from models.artefact import FILES, ArtefactError
from models.judge import JUDGE, Judge, Weights, probability, read_judge
from models.scores import ATTACKS

ROWS = {"low": (0.9,) * 5, "medium": (0.5,) * 5, "high": (0.2,) * 5}
SYSTEM = dict.fromkeys(ROWS, (2.0, 2.0, 2.0, 2.0, 0.9))
JUDGED = Judge(
    guard="guard-1",
    encoder="encoder-1",
    weights={
        kind: Weights(guard=0.5, encoder=2.0, shift=-1.0, alone=1.0, alone_shift=-1.0)
        for kind in ATTACKS
    },
    ask=ROWS,
    document=ROWS,
    system=SYSTEM,
)


def test_both_are_weighed():
    """Half of the guard's logit, twice the encoder's, and a shift."""
    assert JUDGED.logits((2.0,) * 5, (1.0, 0.0, -1.0, 0.0, 0.5)) == (2.0, 0.0, -2.0, 0.0, 1.0)


def test_the_guard_alone_has_a_shift_of_its_own():
    """It is less sure than both, so that it misfires no more often."""
    assert JUDGED.logits((2.0, 1.0, 0.0, -1.0, -2.0), None) == (1.0, 0.0, -1.0, -2.0, -3.0)


def test_limits_depend_on_who_wrote_the_text():
    """An assistant's words are never judged, a system prompt's for hidden orders alone."""
    assert JUDGED.limits("ask", "medium") == ROWS["medium"]
    assert JUDGED.limits("tool", "high") == ROWS["high"]
    assert JUDGED.limits("system", "low") == SYSTEM["low"]
    assert min(JUDGED.limits("assistant", "high")) > 1.0


def test_probabilities_are_those_of_the_logistic_function():
    """Between 0 and 1 for any logit, and one half at 0."""
    assert probability(0.0) == 0.5
    assert 0.0 <= probability(-1e9) < probability(1.0) < probability(1e9) <= 1.0


def test_the_shipped_judge_is_whole():
    """Every kind has its weights, and higher sensitivity never a higher threshold."""
    judge = read_judge()

    for table in (judge.ask, judge.document, judge.system):
        for low, medium, high in zip(*table.values(), strict=True):
            assert low >= medium >= high


def test_another_set_of_kinds_is_refused(tmp_path):
    """Its weights would be those of something else."""
    text = (FILES / JUDGE).read_text().replace("[weights.injection]", "[weights.intrusion]")
    (tmp_path / JUDGE).write_text(text)

    with pytest.raises(ArtefactError, match="kinds or sensitivities"):
        read_judge(tmp_path)


@pytest.mark.parametrize("content", [None, "guard = 1", "\xff"])
def test_a_missing_or_damaged_file_is_refused(tmp_path, content):
    """The message names it and says what to do."""
    if content is not None:
        (tmp_path / JUDGE).write_text(content, encoding="latin-1")

    with pytest.raises(ArtefactError, match=r"judge\.toml: .*models/README"):
        read_judge(tmp_path)


def test_a_judge_is_data():
    """It survives being written down."""
    assert msgspec.json.decode(msgspec.json.encode(JUDGED), type=Judge) == JUDGED
