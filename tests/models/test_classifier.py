"""The door of the classifiers: whoever asks gets an answer in time."""

from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from models import classifier as classifier_module
from models.batching import Refusal
from models.cascade import Thresholds
from models.classifier import Classifier, SecondStage, load_classifier
from models.linear import FirstStage
from models.opinion import Opinion, blended
from models.options import PATIENT, Options
from models.scores import UNSCORED
from models.serving_manifest import ServingManifest
from models.worker import Load
from tests.models.artefacts import ALWAYS, ENCODER_ALONE, NEVER, write_artefact

POEM = "Write a poem about rain"
BLEND = replace(ENCODER_ALONE, task_english=0.5, complexity=0.25)
SAID = Opinion([-9.0] * 7 + [-0.01] + [-9.0] * 3, 0.4, strong_need=0.3)


@pytest.fixture(scope="module")
def first_stage():
    return FirstStage.load()


class FakeDoor:
    """Keeps what it is asked, and answers when told to."""

    tokens_max = 128
    load = Load(waiting=1, batches=2, rows=3)

    def __init__(self, refusal=None):
        self.refusal = refusal
        self.asked = []
        self.is_failing = False
        self.closed = False

    def submit(self, entry, budget_s):
        if self.refusal is None:
            self.asked.append((entry, budget_s))
        return self.refusal

    def describe(self):
        return "fake"

    def close(self):
        self.closed = True


def cascade(first_stage, door, *, thresholds=ALWAYS, options=PATIENT):
    serving = ServingManifest("", "fake-1", thresholds, BLEND, self_test=(), measured={})
    return Classifier(first_stage, SecondStage(door, serving, options.deadline_s), options)


def read(first_stage, text=POEM):
    """What both stages together say of *text* when the encoder says SAID."""
    return blended(first_stage.opinion_of(first_stage.raw_scores(text)), SAID, BLEND)


async def test_first_stage_answers(first_stage):
    """What the first stage says is what the caller gets."""
    assert await Classifier(first_stage).submit(POEM) == first_stage.score(POEM)


async def test_without_a_model_nothing_is_scored():
    """Routing goes on without scores."""
    assert await Classifier(None).submit(POEM) == UNSCORED


async def test_an_empty_text_is_unscored(first_stage):
    """A chat in which nobody has asked anything has no scores, and no encoder is asked."""
    door = FakeDoor()

    assert await Classifier(first_stage).submit("") == UNSCORED
    assert await cascade(first_stage, door).submit("") == UNSCORED
    assert not door.asked


@pytest.mark.parametrize("thresholds", [ALWAYS, NEVER])
async def test_a_text_without_words_is_unscored(first_stage, thresholds):
    """There is nothing in it that a stage could read."""
    door = FakeDoor()

    assert await cascade(first_stage, door, thresholds=thresholds).submit(" \n ") == UNSCORED
    assert not door.asked


async def test_the_encoder_answers_where_the_first_stage_is_unsure(first_stage):
    """Work begins with the call; the caller gets what both stages say."""
    door = FakeDoor()
    pending = cascade(first_stage, door).submit(POEM)
    ((entry, budget_s),) = door.asked
    assert (entry.text, entry.bytes, entry.tokens) == (POEM, len(POEM), 2 + len(POEM) // 4)
    assert budget_s is None

    entry.settle(SAID)

    assert await pending == read(first_stage)
    assert entry.gone()


async def test_the_encoder_is_left_alone_where_the_first_stage_is_sure(first_stage):
    """No doubt, no second opinion."""
    door = FakeDoor()
    sure = Thresholds(confident_from=0.0, tier_margin=0.0)

    scores = await cascade(first_stage, door, thresholds=sure).submit(POEM)

    assert scores == first_stage.score(POEM)
    assert not door.asked


@pytest.mark.parametrize("thresholds", [ALWAYS, NEVER])
async def test_what_was_answered_is_remembered(first_stage, thresholds):
    """The same text gets the same scores from memory, whichever stage gave them."""
    door = FakeDoor()
    classifier = cascade(first_stage, door, thresholds=thresholds)
    pending = classifier.submit(POEM)
    for entry, _ in door.asked:
        entry.settle(SAID)
    scores = await pending

    assert await classifier.submit(POEM) == replace(scores, stage="memory")
    assert len(door.asked) == (thresholds is ALWAYS)


async def test_a_late_answer_is_kept_for_the_next_one(first_stage):
    """Who has gone is not answered any more, but the work was done."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    gone = classifier.submit(POEM)
    gone.cancel()
    ((entry, _),) = door.asked
    assert entry.gone()

    entry.settle(SAID)

    assert await classifier.submit(POEM) == replace(read(first_stage), stage="memory")


@pytest.mark.parametrize("refusal", Refusal)
async def test_a_refused_prompt_gets_the_first_stage(first_stage, refusal):
    """At once, with the reason as its stage, and it is tried again the next time."""
    classifier = cascade(first_stage, FakeDoor(refusal))

    for _ in range(2):
        scores = await classifier.submit(POEM)
        assert scores == replace(first_stage.score(POEM), stage=refusal.value)


async def test_a_broken_batch_gets_the_first_stage(first_stage):
    """Nothing is made up, and nothing remembered."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    pending = classifier.submit(POEM)
    door.asked[0][0].settle(None)

    assert await pending == first_stage.score(POEM)
    classifier.submit(POEM)
    assert len(door.asked) == 2


async def test_the_deadline_is_kept_when_the_encoder_is_not_heard_of(first_stage):
    """An estimate may be wrong; the clock is not. An answer after that changes nothing."""
    door = FakeDoor()
    classifier = cascade(first_stage, door, options=Options(deadline_s=0.001))
    pending = classifier.submit(POEM)

    assert await asyncio.wait_for(pending, 10.0) == replace(
        first_stage.score(POEM), stage="deadline"
    )
    ((entry, budget_s),) = door.asked
    assert budget_s == 0.001
    entry.settle(SAID)
    assert (await pending).stage == "deadline"


async def test_an_answer_in_time_stops_the_clock(first_stage, monkeypatch):
    """No timer is left behind."""
    door, timers, loop = FakeDoor(), [], asyncio.get_running_loop()
    call_later = loop.call_later
    monkeypatch.setattr(
        loop, "call_later", lambda *call: timers.append(call_later(*call)) or timers[-1]
    )
    pending = cascade(first_stage, door, options=Options(deadline_s=60.0)).submit(POEM)
    door.asked[0][0].settle(SAID)

    assert await pending == read(first_stage)
    assert [timer.cancelled() for timer in timers] == [True]


ATTACKED = replace(SAID, attacks=(3.0, -2.0, -2.0, -1.0, -4.0))


async def test_attacks_are_the_encoders_to_say(first_stage):
    """Logits as it gave them, and from memory the next time."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    pending = classifier.attacks(POEM)
    door.asked[0][0].settle(ATTACKED)

    assert await pending == ATTACKED.attacks
    assert await classifier.attacks(POEM) == ATTACKED.attacks
    assert len(door.asked) == 1


async def test_one_pass_serves_the_classifier_and_the_scan(first_stage):
    """Who asks for the same text while it waits gets the same opinion."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    scores, attacks = classifier.submit(POEM), classifier.attacks(POEM)
    ((entry, _),) = door.asked
    entry.settle(ATTACKED)

    assert await scores == read(first_stage)
    assert await attacks == ATTACKED.attacks


async def test_a_text_whose_callers_have_gone_is_asked_again(first_stage):
    """The worker drops it without a word, so nobody may join it."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    classifier.submit(POEM).cancel()
    classifier.attacks(POEM)

    assert len(door.asked) == 2


@pytest.mark.parametrize("refusal", Refusal)
async def test_without_an_encoder_nobody_knows_of_attacks(first_stage, refusal):
    """None says so, at once."""
    assert await cascade(first_stage, FakeDoor(refusal)).attacks(POEM) is None
    assert await Classifier(first_stage).attacks(POEM) is None


def test_the_door_describes_what_is_behind_it(first_stage):
    """Version and description say which models answer, if any."""
    alone, none = Classifier(first_stage), Classifier(None)
    both = cascade(first_stage, FakeDoor())

    assert (alone.version, none.version) == (first_stage.version, "none")
    assert both.version == f"{first_stage.version}+fake-1"
    assert alone.describe().startswith(f"first stage {first_stage.version} alone: 11 task types, ")
    assert none.describe() == "no classifier: every prompt counts as unscored"
    assert both.describe() == f"first stage {first_stage.version}, then fake"


def test_load_and_problems_show_through(first_stage):
    """Queue, batches and rows for metrics; a failing encoder for readiness."""
    door = FakeDoor()
    classifier = cascade(first_stage, door)
    assert (classifier.load, classifier.problem) == (door.load, "")
    assert Classifier(first_stage).load == Load()

    door.is_failing = True

    assert classifier.problem == "the encoder fails"


def test_closing_closes_the_door(first_stage):
    """With or without one."""
    door = FakeDoor()
    cascade(first_stage, door).close()
    Classifier(first_stage).close()

    assert door.closed


async def test_the_artefacts_of_a_folder_serve(tmp_path):
    """Loaded, verified, tried, and asked through the thread."""
    classifier = load_classifier(PATIENT, write_artefact(tmp_path))
    scores = await classifier.submit("a b")
    classifier.close()

    assert (scores.stage, scores.complexity) == ("encoder", pytest.approx(0.16))
    assert classifier.version.endswith("+encoder-tiny")
    assert classifier.problem == ""
    assert classifier.describe().endswith(", then encoder-tiny on cpu int8, 16 tokens")
    assert classifier.load.rows == 1


async def test_without_the_encoder_wanted_none_is_loaded(tmp_path):
    """The operator may do without; that is no problem."""
    classifier = load_classifier(Options(enabled=False), write_artefact(tmp_path))

    assert (await classifier.submit("a b")).stage == "first-stage"
    assert classifier.problem == ""


async def test_a_damaged_encoder_is_logged_and_survived(tmp_path, caplog):
    """The first stage answers alone, the log and readiness say so."""
    folder = write_artefact(tmp_path)
    (folder / "encoder.onnx").write_bytes(b"half of a file")
    classifier = load_classifier(PATIENT, folder)

    assert (await classifier.submit(POEM)).stage == "first-stage"
    assert classifier.problem == "no encoder"
    assert " alone (no encoder): 11 task types" in classifier.describe()
    assert "no encoder, the first stage answers alone: " in caplog.text
    assert "encoder.onnx: sha256 is" in caplog.text


def test_thresholds_of_another_first_stage_are_refused(tmp_path, caplog, monkeypatch):
    """They say when *this* first stage will do."""
    folder = write_artefact(tmp_path)
    monkeypatch.setattr(classifier_module.FirstStage, "version", "first-stage-new")

    assert load_classifier(PATIENT, folder).problem == "no encoder"
    assert "the first stage is first-stage-new; run python -m models.train.serving" in caplog.text


def test_a_missing_artefact_is_logged_and_survived(tmp_path, caplog):
    """A gateway without an artefact starts, and its log says what to do."""
    with caplog.at_level(logging.WARNING):
        classifier = load_classifier(folder=tmp_path)

    assert (classifier.version, classifier.problem) == ("none", "no classifier")
    assert "manifest.toml: No such file or directory; restore both files" in caplog.text
