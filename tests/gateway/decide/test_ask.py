"""Reading what is asked."""

from __future__ import annotations

import pytest

from gateway.config.offers import OFFERS
from gateway.config.schema import Condition, Policy, Project, Routing, Rule, Target
from gateway.core.errors import InvalidRequest, ModelNotFound
from gateway.core.fleet import Capability
from gateway.core.request import Kind, RouteAction
from gateway.decide.ask import is_off, read_ask
from gateway.decide.fleet_view import fleet_rows
from models.scores import UNSCORED
from tests.gateway.decide.samples import deployment, policy, question, scores, signals, usual_fleet

FLEET = usual_fleet(deployment("gpt-4", "azure"))
ROWS = fleet_rows(FLEET)
DISABLED, AUTO, CUSTOM, OBSERVE = RouteAction


def ask(asked, scored=None, read=None, **config):
    """Read *asked* under a configuration."""
    return read_ask(
        asked,
        signals() if read is None else read,
        scores() if scored is None else scored,
        policy(FLEET, **config),
        ROWS,
    )


RULES = {"rules": (Rule(id="r", then=Target(keep=True)),)}
ROUTING = {"routing": Routing(action=CUSTOM)}


@pytest.mark.parametrize(
    ("asked", "config", "action"),
    [
        (question("gpt-4"), {}, DISABLED),  # never reroute a named model unasked
        (question("gpt-4", action=AUTO), {}, AUTO),
        (question("gpt-4", action=OBSERVE), {}, OBSERVE),
        (question("gpt-4"), ROUTING, CUSTOM),
        (question("gpt-4", action=DISABLED), ROUTING, DISABLED),
        (question("gpt-4", mode="eco"), {}, AUTO),  # asks for a mode: asks for routing
        (question("gpt-4", prefer_model="gpt-4o"), {}, AUTO),
        (question("gpt-4", cost_usd_max=0.01), {}, AUTO),  # best under the budget
        (question("gpt-4", quality_min=0.0), {}, AUTO),
        (question("gpt-4", cost_usd_max=0.01, action=DISABLED), {}, DISABLED),
        (question("gpt-4", mode="eco", action=DISABLED), {}, DISABLED),
        (question("auto"), {}, AUTO),
        (question("auto"), RULES, CUSTOM),
        (question("auto", action=AUTO), RULES, AUTO),
        (question("auto", action=DISABLED), {}, AUTO),  # there is nothing to leave as it is
        (question("auto", action=OBSERVE), {}, AUTO),
        (question("gpt-4", action=AUTO, kind=Kind.EMBEDDING), {}, DISABLED),
    ],
)
def test_action(asked, config, action):
    """The client's word, else what the kind of name and the configuration say."""
    assert ask(asked, **config).action is action


def test_action_of_a_project():
    """A project's default stands above the common one."""
    compiled = policy(
        FLEET,
        project="p",
        routing=Routing(action=AUTO),
        projects={"p": Project(action=DISABLED)},
    )

    assert read_ask(question(), signals(), scores(), compiled, ROWS).action is DISABLED


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        (question("gpt-4"), "balanced"),
        (question("speed"), "speed"),
        (question("Speed"), "speed"),
        (question("speed", mode="quality"), "quality"),
        (question("gpt-4", mode="cost"), "eco"),
    ],
)
def test_mode(asked, mode):
    """The control comes first, then the virtual name, then the default."""
    assert ask(asked).mode_name == mode


def test_an_unknown_mode_is_told():
    """The API refuses those; one that comes here is replaced and named."""
    found = ask(question("eco", mode="ludicrous"))

    assert found.mode_name == "eco"
    assert found.warnings == ("There is no mode ludicrous; eco was used.",)


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (question("gpt-4"), ["openai/gpt-4", "azure/gpt-4"]),
        (question("gpt-4", provider="azure"), ["azure/gpt-4"]),
        (question("azure/gpt-4"), ["azure/gpt-4"]),
    ],
)
def test_own_model(asked, rows):
    """The client's own model, at the provider that it came by."""
    own = ask(asked).own

    assert [FLEET.deployments[row].id for row in own.rows] == rows
    assert own.model == "gpt-4"


def test_a_virtual_name_has_no_own_model():
    """Nothing was named that could be kept."""
    assert ask(question("auto")).own is None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            question("gpt4o"),
            "No deployment serves the model gpt4o. It is not in the catalogue. A configuration adds"
            " a model under models and deployments. Close names: gpt-4o, gpt-4, gpt-4o-mini.",
        ),
        (
            question("zzz"),
            "No deployment serves the model zzz. It is not in the catalogue. A configuration adds a"
            " model under models and deployments.",
        ),
        (
            question("claude-haiku", provider="openai"),
            "The provider openai does not serve the model claude-haiku."
            " Close names: claude-haiku, claude-haiku-latest, anthropic/claude-haiku.",
        ),
    ],
)
def test_a_model_that_is_not_here(asked, message):
    """The error names the model, and those it may have meant."""
    with pytest.raises(ModelNotFound) as caught:
        ask(asked)

    assert caught.value.message == message
    assert caught.value.param == "model"


def test_a_model_that_the_catalogue_knows():
    """The error says who offers it, and until when: its own shutdown, or a missing key."""
    with pytest.raises(ModelNotFound) as caught:
        ask(question("OpenAI/gpt-3.5-turbo"))

    until = OFFERS["openai"]["gpt-3.5-turbo"].until
    assert f"The catalogue knows it of openai (until {until})" in caught.value.message


def test_a_pin_that_nobody_serves():
    """A typing error is told, and sends a named model nowhere."""
    with pytest.raises(InvalidRequest) as caught:
        ask(question("gpt-4", prefer_model="gpt4o"))

    assert caught.value.param == "prefer_model"
    assert caught.value.message == (
        "The preferred model is gpt4o, which no deployment serves."
        " Close names: gpt-4o, gpt-4, gpt-4o-mini."
    )


def test_a_virtual_model_cannot_embed():
    """Vectors of two models do not mix, so only the client can say which."""
    fleet = usual_fleet(deployment("embed-a", capabilities=Capability.EMBEDDINGS))
    asked = question("auto", kind=Kind.EMBEDDING, dialect="openai_embeddings")
    with pytest.raises(InvalidRequest) as caught:
        read_ask(asked, signals(), scores(), policy(fleet), fleet_rows(fleet))

    assert caught.value.param == "model"
    assert caught.value.message.endswith("Name an embedding model, such as embed-a.")


@pytest.mark.parametrize(
    ("hint", "warned"),
    [("release-notes", True), ("Code_Review", False), ("chat", False), ("VIP tier", False)],
)
def test_a_hint_that_means_nothing_is_told(hint, warned):
    """Neither a kind of work nor the label of a rule: it would have no effect."""
    rule = Rule(id="r", when=Condition(labels=("vip-tier",)), then=Target(keep=True))
    found = ask(question(task_hint=hint), rules=(rule,))

    assert bool(found.warnings) is warned


@pytest.mark.parametrize(
    ("hint", "task", "confidence", "doubt"),
    [
        (None, "Summarization", 0.3, "Uncertain kind of work (Summarization 0.30)"),
        ("code-review", "Code Generation", 1.0, ""),
        ("Chatbot", "Chatbot", 1.0, ""),
        ("other", "Other", 1.0, "Uncertain kind of work (Other 0.30)"),
        ("release-notes", "Summarization", 0.3, "Uncertain kind of work (Summarization 0.30)"),
    ],
)
def test_task_hint(hint, task, confidence, doubt):
    """A hint that names a kind of work replaces the classifier's guess, and its doubt."""
    found = ask(question(task_hint=hint), scores(uncertain=True, confidence=0.3))

    assert (found.task, found.confidence, found.doubt) == (task, confidence, doubt)


@pytest.mark.parametrize(
    ("scored", "read", "doubt"),
    [
        (scores(), signals(), ""),
        (scores("Other"), signals(), "No known kind of work"),
        (UNSCORED, signals(), "Not classified"),
        (scores(), signals(words=2, excerpt_chars=10), "Too short to tell the kind of work"),
        (scores(), signals(words=2, excerpt_chars=60), ""),  # a script without blanks
        (scores(), signals(words=3, excerpt_chars=10), ""),
    ],
)
def test_doubt(scored, read, doubt):
    """Why the kind of work cannot be relied on."""
    found = ask(question(), scored, read)

    assert found.doubt == doubt
    assert found.task_known == ("Other" if doubt else found.task)


@pytest.mark.parametrize(
    ("scored", "config", "tier"),
    [
        (scores(tier="low"), {}, "low"),
        (scores(tier="low", uncertain=True), {}, "medium"),  # doubt is no reason to save
        (scores(tier="high", uncertain=True), {}, "high"),
        (scores(tier="low", uncertain=True), {"routing": Routing(uncertain="complexity")}, "low"),
    ],
)
def test_tier_assumed(scored, config, tier):
    """A doubtful prompt is estimated as a medium one at least; what is reported stays."""
    found = ask(question("auto"), scored, **config)

    assert found.tier_assumed == tier
    assert found.tier == scored.tier


def test_a_denied_model_is_still_a_model():
    """Whether a model may be used is not a question of its name."""
    assert ask(question("gpt-4"), policy=Policy(denied_models=("gpt-4",))).own is not None


@pytest.mark.parametrize(
    ("asked", "config", "off"),
    [
        (question("gpt-4"), {}, True),
        (question("gpt-4", mode="eco"), {}, False),
        (question("gpt-4", action=OBSERVE), {}, False),
        (question("AUTO", action=DISABLED), {}, False),
        (question("gpt-4"), ROUTING, False),
        (question("unknown"), {}, True),  # refused later, and not for what it is about
    ],
)
def test_routing_is_off(asked, config, off):
    """A request whose decision no score can change needs no classifier."""
    assert is_off(asked, policy(FLEET, **config)) is off
