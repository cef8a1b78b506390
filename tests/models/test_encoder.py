"""The second stage, on a tiny graph and on the shipped one."""

from __future__ import annotations

import math

import pytest

from models import encoder as encoder_module
from models.artefact import FILES, ArtefactError
from models.encoder import Encoder
from models.scores import TASK_TYPES
from models.serving_manifest import SelfTest
from tests.models.artefacts import write_artefact


@pytest.fixture
def tiny(tmp_path):
    return Encoder.load(write_artefact(tmp_path))


def test_opinions_are_calibrated(tiny):
    """Tokens 2, 5, 6 and 3 sum up to 16: task and language 5, complexity .16, need on its line."""
    (said,) = tiny.read(["a b"])

    assert said.label == 5
    assert math.exp(said.likelihoods[5]) == pytest.approx(1 / (1 + 10 * math.exp(-5)))
    assert said.complexity == pytest.approx(0.16)
    assert said.strong_need == pytest.approx(0.66)
    assert not said.english
    assert not said.truncated


def test_logits_of_attacks_are_calibrated(tiny):
    """Tokens 2, 8 and 3 sum up to 13, so the third logit is 5: twice that, less one."""
    assert tiny.read(["d"])[0].attacks == (0.0, 0.0, 9.0, 0.0, 0.0)


def test_language_is_told(tiny):
    """Tokens 2, 9, 8 and 3 sum up to 22, so the language is the first."""
    assert tiny.read(["e d"])[0].english


def test_a_batch_reads_like_its_rows(tiny):
    """Neighbours have no say, and order is kept."""
    texts = ["a", "c " * 40, "b b b"]

    assert tiny.read(texts) == [tiny.read([text])[0] for text in texts]


def test_truncation_is_told(tiny):
    """Of more tokens than are read the middle is missing."""
    assert tiny.read(["a " * 40])[0].truncated


def test_it_describes_itself(tiny):
    """Version, device and length, for the log."""
    assert tiny.describe() == "encoder-tiny on cpu int8, 16 tokens"


def test_it_knows_what_it_costs(tiny):
    """Calls and tokens cost time, never less than none."""
    cost = tiny.measure()

    assert cost.call_s >= 0.0
    assert cost.token_s >= 0.0
    assert cost.seconds(1, 16) > 0.0


WRONG = SelfTest("a", TASK_TYPES[0], 0.10), SelfTest("c", TASK_TYPES[1], 0.40)


def test_an_encoder_that_answers_otherwise_is_refused(tmp_path):
    """A graph whose scores are not those it was shipped with does not serve."""
    folder = write_artefact(tmp_path, self_test=WRONG)

    with pytest.raises(ArtefactError, match=r"fails its self-test: 'a': Other 0.10, expected Open"):
        Encoder.load(folder)


def test_one_prompt_of_the_self_test_may_differ(tmp_path):
    """Another CPU rounds otherwise, so a prompt on the border of two types may change sides."""
    Encoder.load(write_artefact(tmp_path, self_test=WRONG[:1]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("encoder.onnx", "encoder.onnx: sha256 is "),
        ("words.json", "words.json: sha256 is "),
        ("encoder.toml", r"encoder.toml: Object missing required field"),
        ("serving.toml", r"serving.toml: Object missing required field"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, name, message):
    """Whichever file it is, the message names it."""
    folder = write_artefact(tmp_path)
    (folder / name).write_bytes(b"")

    with pytest.raises(ArtefactError, match=message):
        Encoder.load(folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "words.json", "encoder.toml", "serving.toml"])
def test_a_missing_file_is_refused(tmp_path, name):
    """Whichever file it is, the message names it."""
    folder = write_artefact(tmp_path)
    (folder / name).unlink()

    with pytest.raises(ArtefactError, match=f"{name}: No such file"):
        Encoder.load(folder)


def test_thresholds_of_another_encoder_are_refused(tmp_path):
    """They say when the first stage is as good as *this* encoder."""
    folder = write_artefact(tmp_path, version="new")

    with pytest.raises(ArtefactError, match="are for encoder-tiny, the encoder is encoder-new"):
        Encoder.load(folder)


def test_a_gpu_build_without_a_gpu_runs_on_the_cpu(tmp_path, monkeypatch, caplog):
    """It says so in the log, and serves."""
    folder = write_artefact(tmp_path, half="half.onnx")
    monkeypatch.setattr(encoder_module, "has_cuda", lambda: True)

    assert "cpu" in Encoder.load(folder).describe()
    assert "the encoder runs on the CPU:" in caplog.text


@pytest.fixture(scope="module")
def shipped():
    return Encoder.load(FILES)


def test_the_shipped_encoder_passes_its_self_test(shipped):
    """Ten prompts, and what training wrote down of them."""
    assert len(shipped.serving.self_test) == 10


OBVIOUS = [
    ("hi there, how are you today?", "Chatbot"),
    ("What is the capital of Australia?", "Closed QA"),
    ("What are the pros and cons of renting instead of buying a flat?", "Open QA"),
    ("Summarize the following article in three sentences: The harbour grew.", "Summarization"),
    ("Write a short story about a lighthouse keeper who finds a letter", "Text Generation"),
    ("Write a Python function that reverses a linked list", "Code Generation"),
    ("Is this review positive or negative? 'The soup was cold.'", "Classification"),
    ("Traduis en anglais : Où est la gare ?", "Rewrite"),
    ("Give me ten name ideas for a bakery", "Brainstorming"),
    ("Extract all dates and names from the text as JSON: Ann left on 3 May", "Extraction"),
    ("Solve for x: 3x + 7 = 22", "Other"),
]


@pytest.mark.parametrize(("text", "task_type"), OBVIOUS)
def test_obvious_prompts(shipped, text, task_type):
    """Plain prompts of every type are told apart."""
    assert TASK_TYPES[shipped.read([text])[0].label] == task_type


def test_the_same_prompt_scores_the_same(shipped):
    """Whatever was read before it."""
    before = shipped.read(["Compare two databases for me"])
    shipped.read(["something else altogether " * 30])

    assert shipped.read(["Compare two databases for me"]) == before
