"""``switchyard policies``: content policies, from files and to files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ConfigFile, Id, Json

app = typer.Typer(no_args_is_help=True, help="Content policies: what prompts may not ask for.")

PolicyFile = Annotated[
    Path,
    typer.Option("--file", "-f", help="A policy as YAML or JSON; - for the standard input."),
]
OfTenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose prompts; all without.")]


@app.command()
def create(
    policy_id: Id,
    config: ConfigFile = None,
    *,
    file: PolicyFile = Path("-"),
    tenant: OfTenant = "",
    as_json: Json = False,
) -> None:
    """Add a policy, as in scan.policies of the configuration; without a name, its id is that."""
    from gateway.cli.at_desk import at_desk, console, print_json
    from gateway.cli.yaml_files import read_as
    from gateway.core.content_policy import ContentPolicy
    from gateway.state.facts import PolicyFact

    value = PolicyFact(policy=read_as(file, ContentPolicy, name=policy_id), tenant=tenant)
    item = at_desk(config, lambda desk, who: desk.content_policies.create(who, policy_id, value))
    if as_json:
        print_json(item)
    else:
        console.print(f"The policy {policy_id} holds for {tenant or 'all tenants'}.")


@app.command("list")
def list_(config: ConfigFile = None, *, as_json: Json = False) -> None:
    """List policies of the database; those of the configuration hold too."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table

    entries = at_desk(config, lambda desk, who: every(desk.content_policies, who))
    if as_json:
        print_json(entries)
        return
    rows = []
    for entry in entries:
        policy = entry.value.policy
        action = policy.action or "as the request"
        rows.append((entry.id, policy.name, action, entry.value.tenant or "all", policy.projects))
    print_table(("id", "name", "action", "tenant", "projects"), rows)


@app.command()
def show(policy_id: Id, config: ConfigFile = None, *, as_json: Json = False) -> None:
    """Show a policy, as a file that `policies create` takes."""
    from gateway.cli.at_desk import at_desk, print_json
    from gateway.config.yaml_tree import stated, yaml_text

    item = at_desk(config, lambda desk, who: desk.content_policies.get(who, policy_id))
    if as_json:
        print_json(item)
    else:
        sys.stdout.write(yaml_text(stated(item.value.policy)))


@app.command()
def delete(policy_id: Id, config: ConfigFile = None) -> None:
    """Let a policy hold no more."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: desk.content_policies.delete(who, policy_id))
    console.print(f"{policy_id} is gone.")
