"""``switchyard rules``: drafted from a file, tried on records, published, rolled back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import ConfigFile, Json

if TYPE_CHECKING:
    from gateway.admin.desk import Desk
    from gateway.config.schema import Rule

app = typer.Typer(no_args_is_help=True, help="Rules of projects; the project * is of all.")

ProjectName = Annotated[str, typer.Argument(help="A project, or * for the rules of all.")]
RulesFile = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="Rules as YAML or JSON, a list; - for the standard input."),
]
Note = Annotated[str, typer.Option(help="Why, for the versions.")]


@app.command("list")
def list_(config: ConfigFile = None, *, as_json: Json = False) -> None:
    """List projects and how many rules they have."""
    from gateway.cli.at_desk import at_desk, print_json, print_table

    found = at_desk(config, lambda desk, who: desk.rules.projects(who))
    if as_json:
        print_json(found)
    else:
        rows = [(one.project, one.published, one.drafted, one.in_file) for one in found]
        print_table(("project", "published", "drafted", "in the file"), rows)


@app.command()
def show(
    project: ProjectName,
    config: ConfigFile = None,
    *,
    draft: Annotated[bool, typer.Option("--draft", help="The draft instead.")] = False,
    as_json: Json = False,
) -> None:
    """Show the published rules of a project, as a file that `rules draft` takes."""
    from gateway.cli.at_desk import at_desk, print_json

    async def work(desk: Desk, who: Any) -> Any:
        return await (desk.rules.draft if draft else desk.rules.live)(who, project)

    item = at_desk(config, work)
    if as_json:
        print_json(item)
    else:
        sys.stdout.write(as_file(item.value.rules))


@app.command()
def template(
    name: Annotated[str, typer.Argument(help="Without: their names.")] = "",
) -> None:
    """Show a set of rules to start from, as a file that `rules draft` takes."""
    from gateway.cli.at_desk import errors, print_table
    from gateway.core.errors import NotFound
    from gateway.learn.shipped import find_template, templates

    if not name:
        print_table(("name", "what it is"), [(one.name, one.title) for one in templates()])
        return
    try:
        sys.stdout.write(as_file(find_template(name).rules))
    except NotFound as error:
        errors.print(f"[red]{error.message}[/]")
        raise typer.Exit(1) from None


@app.command()
def draft(
    project: ProjectName, config: ConfigFile = None, file: RulesFile = None, note: Note = ""
) -> None:
    """Save a draft and say what is wrong with it; nothing is routed by it yet."""
    from gateway.cli.at_desk import at_desk, console
    from gateway.state.facts import RuleSet

    value = RuleSet(rules=read_rules(file or Path("-")), note=note)
    item = at_desk(config, lambda desk, who: desk.rules.save_draft(who, project, value))
    print_problems(item.value.problems)
    console.print(f"The draft of {project} has {len(item.value.rules)} rules.")


@app.command("test")
def try_(
    project: ProjectName,
    config: ConfigFile = None,
    file: RulesFile = None,
    limit: Annotated[int, typer.Option(help="The newest records.", min=1, max=10_000)] = 500,
    hours: Annotated[float, typer.Option(help="How far to look back.", min=0.01)] = 720.0,
    *,
    as_json: Json = False,
) -> None:
    """Try the draft, or a file, on recent records."""
    from gateway.admin.rules import RulesTest
    from gateway.cli.at_desk import at_desk, console, print_json, print_table

    rules = None if file is None else read_rules(file)
    value = RulesTest(rules=rules, limit=limit, hours=hours)
    tried = at_desk(config, lambda desk, who: desk.rules.test(who, project, value))
    if as_json:
        print_json(tried)
        return
    print_problems(tried.problems)
    console.print(tried.summary)
    if tried.report.examples:
        print_table(
            ("request", "before", "after", "rule"),
            [(one.request_id, one.before, one.after, one.rule) for one in tried.report.examples],
        )


@app.command()
def publish(
    project: ProjectName, config: ConfigFile = None, file: RulesFile = None, note: Note = ""
) -> None:
    """Route by the draft, or by a file, from now on."""
    from gateway.admin.rules import Publish
    from gateway.cli.at_desk import at_desk, console
    from gateway.state.facts import RuleSet

    async def work(desk: Desk, who: Any) -> Any:
        seen = None
        if file is not None:
            saved = await desk.rules.save_draft(who, project, RuleSet(rules=read_rules(file)))
            seen = saved.version
        return await desk.rules.publish(who, project, Publish(note=note), seen)

    item = at_desk(config, work)
    count = len(item.value.rules)
    console.print(f"{count} rules of {project} are published as version {item.version}.")


@app.command()
def versions(project: ProjectName, config: ConfigFile = None, *, as_json: Json = False) -> None:
    """What was published, newest first."""
    from gateway.cli.at_desk import at_desk, print_json, print_table

    found = at_desk(config, lambda desk, who: desk.rules.versions(who, project))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.version,
            time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.wall_s)),
            one.actor,
            None if one.rules is None else len(one.rules),
            one.note,
        )
        for one in found
    ]
    print_table(("version", "when", "who", "rules", "note"), rows)


@app.command()
def rollback(
    project: ProjectName,
    version: Annotated[int, typer.Argument(help="One of `rules versions`.")],
    config: ConfigFile = None,
    note: Note = "",
) -> None:
    """Publish again what was published as a version."""
    from gateway.admin.rules import Publish
    from gateway.cli.at_desk import at_desk, console

    item = at_desk(
        config, lambda desk, who: desk.rules.rollback(who, project, version, Publish(note=note))
    )
    console.print(f"{len(item.value.rules)} rules of {project} are back.")


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The rules in a file. Raises typer.Exit with the mistakes on the console."""
    from gateway.cli.yaml_files import read_as
    from gateway.config.schema import Rule

    return read_as(path, tuple[Rule, ...])


def as_file(rules: tuple[Rule, ...]) -> str:
    """*rules* as a file that ``rules draft`` takes."""
    from gateway.config.yaml_tree import stated, yaml_text

    return yaml_text([stated(rule) for rule in rules])


def print_problems(problems: list[Any]) -> None:
    """What is wrong with rules."""
    from gateway.cli.at_desk import console

    for problem in problems:
        console.print(f"{problem.path}  {problem.message}", style="yellow", markup=False)
