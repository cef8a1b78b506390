"""Configuration compiled into policies."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.config.schema import (
    CLASS_QUALITY,
    Condition,
    Config,
    Floors,
    Mode,
    Policy,
    Project,
    QualityOverride,
    Routing,
    Rule,
    Target,
)
from gateway.core.fleet import ModelClass
from gateway.core.request import RouteAction
from gateway.decide.fleet_view import fleet_rows
from gateway.decide.lack import Lack
from gateway.decide.policy import UNLIMITED_NANO_USD, compile_policies, region_lacks
from kernels import cost
from models.scores import TASK_TYPES
from tests.gateway.decide.samples import deployment, fleet_of, policy, usual_fleet

FLEET = usual_fleet(deployment("gpt-4", "azure", region="eu-west-1", api_key=None))
NAMES = [d.id for d in FLEET.deployments]


def lacking(bit, compiled):
    """Ids of the deployments that the policy marks with *bit*."""
    return {NAMES[row] for row in np.flatnonzero(compiled.lacks & bit)}


def test_defaults():
    """Without any configuration: nothing is rerouted unasked, nothing is forbidden."""
    compiled = policy(FLEET)

    assert compiled.action is RouteAction.DISABLED
    assert compiled.mode == "balanced"
    assert compiled.cost_max_nano_usd == UNLIMITED_NANO_USD
    assert compiled.quality_min == 0.0
    assert not compiled.lacks.any()
    assert compiled.baseline.model == "gpt-4"


@pytest.mark.parametrize(
    ("name", "mode"),
    [("cost", "eco"), ("auto", "balanced"), ("fast", "speed"), ("MAX-Quality".lower(), "quality")],
)
def test_modes_have_aliases(name, mode):
    """Other products' words for our modes."""
    assert policy(FLEET).mode_names[name] == mode


def test_configured_modes_replace_and_add():
    """An operator's mode wins over the built-in one of its name."""
    cheap = Mode(floors=Floors(low=0.1, medium=0.1, high=0.1), usd_weight=1.0)
    compiled = policy(FLEET, routing=Routing(modes={"eco": cheap, "Mine": cheap}))

    assert compiled.modes["eco"] is cheap
    assert compiled.mode_names["mine"] == "Mine"
    assert "sport" in compiled.modes


def test_a_project_lays_its_limits_on_top():
    """Both policies hold: the tighter number, everything that either forbids."""
    config = Config(
        policy=Policy(
            denied_models=("gpt-4o-latest",), cost_usd_max=0.5, quality_min=0.2, regions=()
        ),
        projects={
            "p": Project(
                policy=Policy(denied_providers=("Groq",), cost_usd_max=0.1, quality_min=0.1)
            )
        },
    )
    compiled = compile_policies(config, FLEET).for_project("p")

    assert lacking(Lack.DENIED, compiled) == {"openai/gpt-4o", "groq/llama-3-8b"}
    assert compiled.cost_max_nano_usd == 100_000_000
    assert compiled.quality_min == 0.2


def test_allowed_models_exclude_the_rest():
    """A list of allowed models is complete; both lists must allow a model."""
    config = Config(
        policy=Policy(allowed_models=("gpt-4", "gpt-4o")),
        projects={"p": Project(policy=Policy(allowed_models=("openai/gpt-4",)))},
    )
    policies = compile_policies(config, FLEET)
    common = lacking(Lack.NOT_ALLOWED, policies.default)
    project = lacking(Lack.NOT_ALLOWED, policies.for_project("p"))

    assert common == set(NAMES) - {"openai/gpt-4", "azure/gpt-4", "openai/gpt-4o"}
    assert project == set(NAMES) - {"openai/gpt-4"}


@pytest.mark.parametrize(
    ("regions", "here", "allowed"),
    [
        ((), "", True),
        (("eu",), "eu", True),
        (("EU",), "eu-west-1", True),
        (("eu",), "europe", False),
        (("eu-west-1",), "eu", False),
        (("us", "eu"), "eu-central-1", True),
        (("eu",), "", False),  # not known is not allowed
    ],
)
def test_regions(regions, here, allowed):
    """A region holds its parts; a deployment that does not say where it is is nowhere."""
    rows = fleet_rows(fleet_of(deployment("a", region=here)))

    assert region_lacks(regions, rows).tolist() == [0 if allowed else int(Lack.REGION)]


def test_quality_starts_from_the_class():
    """Every deployment promises its class's prior on every task."""
    compiled = policy(FLEET)
    prior = CLASS_QUALITY[ModelClass.PREMIUM]

    assert compiled.quality.shape == (len(TASK_TYPES), 3, len(NAMES))
    assert compiled.quality[:, :, 0].tolist() == [[prior.low, prior.medium, prior.high]] * 11


def test_quality_overrides_in_order():
    """What the operator knows replaces the prior: for one task or all, the last one wins."""
    compiled = policy(
        FLEET,
        routing=Routing(
            class_quality={ModelClass.EFFICIENT: Floors(low=0.5, medium=0.4, high=0.3)},
            quality=(
                QualityOverride(model="gpt-4", high=0.99),
                QualityOverride(model="gpt-4", task_type="chatbot", high=0.5, low=0.6),
                QualityOverride(model="azure/gpt-4", task_type="Chatbot", high=0.4),
            ),
        ),
    )
    chatbot, other = TASK_TYPES.index("Chatbot"), TASK_TYPES.index("Other")
    openai, azure, mini = (
        NAMES.index(name) for name in ("openai/gpt-4", "azure/gpt-4", "openai/gpt-4o-mini")
    )

    assert compiled.quality[other, :, openai].tolist() == [0.96, 0.93, 0.99]
    assert compiled.quality[chatbot, :, openai].tolist() == [0.6, 0.93, 0.5]
    assert compiled.quality[chatbot, :, azure].tolist() == [0.6, 0.86, 0.4]
    assert compiled.quality[chatbot, :, mini].tolist() == [0.5, 0.4, 0.3]


def rule(name, priority=0, **then):
    """A rule that always matches."""
    return Rule(id=name, priority=priority, then=Target(**then))


def test_rules_in_order():
    """The project's before the common ones; each by falling priority, then as written."""
    config = Config(
        rules=(rule("c1"), rule("c2", 5), rule("c3")),
        projects={"p": Project(rules=(rule("p1", -1), rule("p2")))},
    )
    compiled = compile_policies(config, FLEET).for_project("p")

    assert [r.id for r in compiled.rules] == ["p2", "p1", "c2", "c1", "c3"]


@pytest.mark.parametrize(
    ("then", "rows"),
    [
        ({"model": "gpt-4"}, ["openai/gpt-4", "azure/gpt-4"]),
        ({"model": "gpt-4", "provider": "azure"}, ["azure/gpt-4"]),
        ({"model": "gpt-4", "provider": "groq"}, []),
        ({"model": "nobody"}, []),
        ({"provider": "Groq"}, ["groq/llama-3-8b"]),
        ({"mode": "eco"}, None),
        ({"model": "gpt-4", "own_key": True}, ["openai/gpt-4"]),  # azure has no key
    ],
)
def test_targets_of_rules(then, rows):
    """A target names deployments, or none in particular."""
    (compiled,) = policy(FLEET, rules=(rule("r", **then),)).rules

    found = None if compiled.rows is None else [NAMES[row] for row in compiled.rows]
    assert found == rows
    assert not compiled.keyless


def test_a_target_without_a_key():
    """A rule for the caller's own key knows that there is none; a simulated provider needs none."""
    keyless = rule("r", model="gpt-4", provider="azure", own_key=True)
    simulated = fleet_of(deployment("a", api_key=None, simulated=True))

    assert policy(FLEET, rules=(keyless,)).rules[0].keyless
    assert not policy(simulated, rules=(rule("r", model="a", own_key=True),)).rules[0].keyless


def test_conditions_are_compared_in_lower_case():
    """An operator writes names and labels as they like."""
    when = Condition(
        task_types=("Open QA",), labels=("Code-Review",), models=("GPT-4",), languages=("DE",)
    )
    (compiled,) = policy(FLEET, rules=(Rule(id="r", when=when, then=Target(keep=True)),)).rules

    assert compiled.when.task_types == ("open qa",)
    assert compiled.when.labels == ("code review",)
    assert compiled.when.models == ("gpt-4",)
    assert compiled.when.languages == ("de",)


@pytest.mark.parametrize(
    ("name", "mode"), [("auto", "sport"), ("claude-auto", "sport"), ("eco", "eco"), ("cost", "eco")]
)
def test_virtual_models_of_a_project_with_a_mode(name, mode):
    """A preset asks for its mode; a name that leaves it to us takes the project's."""
    config = Config(projects={"p": Project(mode="sport")})

    assert compile_policies(config, FLEET).for_project("p").virtual[name] == mode
    assert compile_policies(config, FLEET).default.virtual["auto"] == "balanced"


def test_forced_models_of_both_policies():
    """The project's forced model replaces the common one of the same task."""
    config = Config(
        policy=Policy(forced_models={"chatbot": "gpt-4", "Rewrite": "gpt-4o"}),
        projects={"p": Project(policy=Policy(forced_models={"Chatbot": "llama-3-8b"}))},
    )

    assert compile_policies(config, FLEET).for_project("p").forced == {
        "Chatbot": "llama-3-8b",
        "Rewrite": "gpt-4o",
    }


def test_a_project_that_is_not_configured():
    """It has the common policy."""
    policies = compile_policies(Config(), FLEET)

    assert policies.for_project("nobody") is policies.default


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": (rule("r", keep=True),)},
        {"policy": Policy(denied_models=("gpt-4",))},
        {"routing": Routing(mode="eco")},
        {"routing": Routing(quality=(QualityOverride(model="gpt-4", low=0.1),))},
        {"routing": Routing(class_quality={ModelClass.PREMIUM: Floors(low=0, medium=0, high=0)})},
    ],
)
def test_version_changes_with_the_policy(changed):
    """Whatever a decision may depend on has its part in the version."""
    assert policy(FLEET).version == policy(FLEET).version
    assert policy(FLEET, **changed).version != policy(FLEET).version


def test_version_changes_with_the_fleet():
    """A policy is compiled for one fleet."""
    other = fleet_of(*FLEET.deployments, version="other", **FLEET.models)

    assert policy(other).version != policy(FLEET).version


def test_the_baseline_is_a_price():
    """It is laid out as the cost kernel reads it."""
    baseline = policy(FLEET, routing=Routing(baseline_model="gpt-4o")).baseline

    assert baseline.model == "gpt-4o"
    assert baseline.prices[0, [cost.INPUT, cost.OUTPUT]].tolist() == [2_500_000, 10_000_000]
    assert baseline.tokens_out_max.tolist() == [16_000]


def test_a_baseline_that_nobody_knows():
    """Savings then have nothing to be counted against."""
    assert policy(FLEET, routing=Routing(baseline_model="gpt-9")).baseline is None


def test_what_was_learnt_stands_between_prior_and_override():
    """It replaces the promise of a class, and an operator's override replaces it."""
    said = QualityOverride(model="gpt-4o", task_type="Rewrite", low=0.5)
    config = Config(routing=Routing(quality=(said,)))
    learnt = {
        ("gpt-4o-mini", "Rewrite", "low"): 0.3,
        ("gpt-4o", "Rewrite", "low"): 0.3,
        ("gone", "Rewrite", "low"): 0.3,
    }
    plain, taught = compile_policies(config, FLEET), compile_policies(config, FLEET, learnt)
    rewrite, mini, gpt_4o = (
        TASK_TYPES.index("Rewrite"),
        NAMES.index("openai/gpt-4o-mini"),
        NAMES.index("openai/gpt-4o"),
    )

    assert taught.default.quality[rewrite, 0, mini] == 0.3
    assert taught.default.quality[rewrite, 0, gpt_4o] == 0.5
    assert (taught.default.quality != plain.default.quality).sum() == 1
    assert taught.version != plain.version
    assert (
        compile_policies(config, FLEET, {("gone", "Rewrite", "low"): 0.3}).version == plain.version
    )
