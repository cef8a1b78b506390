"""What operators decide at run time completes the configuration of the file."""

from __future__ import annotations

from gateway.config.schema import Config, Policy, Project, Rule, Target
from gateway.core.content_policy import ContentPolicy
from gateway.state.effective import effective
from gateway.state.facts import Facts, PolicyFact, RuleSet, TenantProject

CHEAP = Rule(id="cheap", then=Target(mode="eco"))
OWN = Rule(id="own", then=Target(keep=True))


def with_facts(config=None, **by_kind):
    """The configuration with these facts."""
    return effective(config or Config(), Facts(1, by_kind))


def test_without_facts_nothing_changes():
    """The configuration is what the file says."""
    config = Config(rules=(CHEAP,))
    assert effective(config, Facts()) == config


def test_projects_of_tenants_join_those_of_the_file():
    """Where both have one, the owner of the file has the last word."""
    mine = TenantProject(settings=Project(mode="eco"))
    config = with_facts(
        Config(projects={"b": Project(mode="sport")}), project={"a": mine, "b": mine}
    )
    assert {name: one.mode for name, one in config.projects.items()} == {"a": "eco", "b": "sport"}


def test_published_rules_go_first():
    """Before those of the file: of one project, and of all."""
    config = with_facts(
        Config(projects={"shop": Project(rules=(OWN,))}, rules=(OWN,)),
        rules={"shop": RuleSet(rules=(CHEAP,)), "*": RuleSet(rules=(CHEAP,))},
    )
    assert config.projects["shop"].rules == config.rules == (CHEAP, OWN)


def test_rules_of_a_project_that_only_they_name():
    """It has defaults otherwise, and keeps the limits of the file."""
    config = with_facts(
        Config(projects={"x": Project(policy=Policy(denied_models=("m",)))}),
        rules={"x": RuleSet(rules=(CHEAP,)), "y": RuleSet(rules=(OWN,))},
    )
    assert config.projects["x"].policy.denied_models == ("m",)
    assert config.projects["y"] == Project(rules=(OWN,))


def test_a_content_policy_of_a_tenant_holds_for_its_projects_alone():
    """And for nobody where the tenant has none."""
    policy = ContentPolicy(name="p", phrases=("x",))
    projects = {"a": TenantProject(tenant="acme"), "b": TenantProject(tenant="other")}
    facts = {
        "1": PolicyFact(policy=policy, tenant="acme"),
        "2": PolicyFact(policy=policy, tenant="nobody"),
        "3": PolicyFact(policy=policy),
    }
    config = with_facts(project=projects, content_policy=facts)
    assert [one.projects for one in config.scan.policies] == [("a",), ()]
