"""Drafts of rules: what is wrong with them, and a backtest on a store of simulated traffic."""

from __future__ import annotations

import random

import msgspec
import pytest

from gateway.config.schema import Condition, Config, Policy, Project, Rule, Target
from gateway.config.settings import Settings, read_settings
from gateway.core.health import Health
from gateway.core.request import RouteAction
from gateway.decide.decide import decide
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.learn.drafts import backtest_rules, draft_problems, with_rules
from gateway.learn.shipped import find_template
from gateway.record.record import View
from gateway.record.rows import Batch, record_row, view_row
from gateway.record.store import Store
from models.scores import TASK_TYPES, TIERS
from tests.gateway.decide.samples import question, scores, signals, usual_fleet
from tests.gateway.record.records import RECORD, make_record

FLEET = usual_fleet()
HEALTH = {"groq/llama-3-8b": Health(requests=50, error_share=0.02)}
VIEW = fleet_view(FLEET, HEALTH)
EASY = Rule(
    id="easy", when=Condition(tiers=("low",)), then=Target(model="gpt-4o-mini"), reason="cheap"
)
COUNT = 400


def settings_of(**config) -> Settings:
    """Settings of the usual fleet."""
    usual = read_settings(None, {})
    return msgspec.structs.replace(usual, config=Config(**config), fleet=FLEET)


@pytest.fixture(scope="module")
def store():
    """Four hundred requests of two projects, a second apart, decided without rules."""
    opened = Store("sqlite://")
    opened.prepare()
    chance = random.Random(5)
    policies = compile_policies(Config(), FLEET)
    records = []
    for number in range(COUNT):
        project = "shop" if number % 4 == 0 else "default"
        asked = question(action=RouteAction.CUSTOM, seed=number, project=project)
        scored = scores(chance.choice(TASK_TYPES), chance.choice(TIERS))
        read = signals(tokens_in=chance.randrange(50, 4000))
        decision = decide(asked, read, scored, policies.default, VIEW)
        records.append(
            make_record(
                number,
                question=asked,
                signals=read,
                scores=scored,
                decision=decision,
                principal=type(RECORD.principal)(project=project, key_id="k"),
            )
        )
    view = view_row(View(VIEW.version, HEALTH), RECORD.wall_s)
    opened.write(Batch(records=[record_row(one) for one in records], views=[view]))
    yield opened
    opened.close()


def tried(store, rules, **options):
    """The backtest of *rules* on all there is."""
    options = {"until_s": RECORD.wall_s + COUNT, "limit": COUNT} | options
    return backtest_rules(store, settings_of(), rules, **options)


def test_hundreds_of_records(store):
    """Every easy prompt that another model answered would go to the rule's, and no other."""
    report = tried(store, (EASY,))
    easy = report.by_tier["low"]

    assert (report.records, report.judged, report.ruled) == (COUNT, COUNT, COUNT)
    assert report.changed == easy.changed == easy.records > 100
    assert 0 < easy.to_another_provider < easy.changed  # those in doubt kept gpt-4 until now
    assert all(report.by_tier[tier].changed == 0 for tier in ("medium", "high"))
    assert report.total.cost_nano_usd == easy.cost_nano_usd < 0
    assert sum(sums.changed for sums in report.by_task.values()) == report.changed
    assert all(one.after == "openai/gpt-4o-mini" for one in report.examples)


def test_the_template_on_the_usual_fleet(store):
    """The five rules of the template: those whose model is served have an effect."""
    report = tried(store, find_template("examples").rules)

    assert set(report.by_rule) == {"", "code-low", "summaries-low", "questions-high", "chat-low"}
    assert 0 < report.changed < COUNT


def test_a_project_alone(store):
    """Only its records are read, and only its rules are drafted."""
    report = tried(store, (EASY,), project="shop")

    assert report.records == COUNT // 4
    assert 0 < report.changed < tried(store, (EASY,)).changed


def test_the_newest_records_count(store):
    """A limit leaves out the oldest, and records after the end are not read."""
    report = tried(store, (EASY,), limit=10, until_s=RECORD.wall_s + 100)
    ids = {int(one.request_id.removeprefix("req_")) for one in report.examples}

    assert report.records == 10
    assert ids <= set(range(90, 100))
    assert tried(store, (EASY,), since_s=RECORD.wall_s + COUNT - 5).records == 5


def test_rules_in_place_of_others():
    """A draft replaces the rules of its project, or the common ones; all else stays."""
    old = Rule(id="old", then=Target(keep=True))
    config = Config(rules=(old,), projects={"shop": Project(mode="eco", rules=(old,))})

    assert with_rules(config, None, (EASY,)).rules == (EASY,)
    assert with_rules(config, None, (EASY,)).projects == config.projects
    shop = with_rules(config, "shop", (EASY,)).projects["shop"]
    assert (shop.rules, shop.mode) == ((EASY,), "eco")
    assert with_rules(config, "new", (EASY,)).projects["new"].rules == (EASY,)


@pytest.mark.parametrize(
    ("then", "path", "message"),
    [
        (Target(model="claude-haiku-9"), "model", "no model is called"),
        (
            Target(model="gpt-4-turbo"),
            "model",
            "nobody serves gpt-4-turbo here, so rule r would change nothing; served: ",
        ),
        (
            Target(model="gpt-4o", provider="groq"),
            "provider",
            "groq does not serve gpt-4o",
        ),
        (Target(), "", "empty: state model"),
        (Target(model="gpt-4o"), "model", "the policy denies gpt-4o"),
    ],
)
def test_problems(then, path, message):
    """As the check of a file says them, and targets that this fleet lacks."""
    project = Project(policy=Policy(denied_models=("gpt-4o",)))
    denied = "denies" in message
    settings = settings_of(projects={"shop": project})
    rules = (Rule(id="r", then=then),)
    found = draft_problems(settings, "shop" if denied else None, rules)

    assert found[0].path == "$.rules[0].then" + (f".{path}" if path else "")
    assert message in found[0].message


def test_a_good_draft_has_no_problems():
    """Everything it names is here."""
    assert draft_problems(settings_of(), None, (EASY,)) == []


def test_the_template_where_everything_is_simulated():
    """A newcomer's gateway serves every model that it names."""
    settings = read_settings(None, {})

    assert draft_problems(settings, None, find_template("examples").rules) == []
