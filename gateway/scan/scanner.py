"""The door of the scan: what is built once, and what one request gets of it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.config.scan_schema import ProjectScan, ScanSettings
from gateway.core.families import NEURALROUTING
from gateway.core.findings import ATTACKS, Finding, Severity
from gateway.core.request import Controls, Request
from gateway.scan.abuse import AbuseMonitor
from gateway.scan.allow import AllowList
from gateway.scan.likeness import embed
from gateway.scan.patterns import PatternSet, read_patterns
from gateway.scan.personal_data import PersonalData, tells_of_someone
from gateway.scan.piece_scan import PieceScanner
from gateway.scan.policies import compile_content_policies
from gateway.scan.redact import Find, redact_body
from gateway.scan.scan import PIECES_BYTES_MAX, Limits, Parts, Scan
from gateway.scan.strip import Stripped, strip
from gateway.scan.wishes import Wishes, wishes_of
from models.artefact import FILES, ArtefactError
from models.guard import Guard
from models.judge import Judge, read_judge
from models.memory import Memory
from models.names import Names

log = logging.getLogger("switchyard")

OURS = ProjectScan()
# NeuralRouting refuses these patterns with 403, and its clients expect it.
NEURALROUTING_REFUSES = (Severity.HIGH, Severity.CRITICAL)


class Engines(msgspec.Struct, frozen=True):
    """
    What is read from disk and compiled once per process, and what is remembered. *problem* says
    what is missing that should be there, "" when nothing is: patterns alone then answer. Patterns
    of attacks and of data are apart, because not everybody wants data to be looked for.
    """

    patterns: PatternSet  # of attacks
    data: PatternSet
    guard: Guard | None
    judge: Judge | None
    names: Names | None
    abuse: AbuseMonitor
    problem: str = ""


class Scanner:
    """Scans requests by the settings of the operator. Immutable but for what it remembers."""

    def __init__(
        self, engines: Engines, settings: ScanSettings, projects: Mapping[str, ProjectScan]
    ) -> None:
        """
        Raises:
            ValueError: a content policy or an entry of the allow list is wrong; it says how.
        """
        self.settings = settings
        self.engines = engines
        self._projects = projects
        self.parts = Parts(
            pieces=PieceScanner(engines.patterns, engines.guard),
            personal=PersonalData(engines.data, engines.names),
            judge=engines.judge,
            policies=compile_content_policies(settings.policies, embed),
            allow=AllowList(settings.allow),
            abuse=engines.abuse,
            limits=Limits(
                chars_max=settings.chars_max,
                windows_max=settings.windows_max,
                encoder_windows_max=settings.encoder_windows_max,
            ),
            remembered=Memory(PIECES_BYTES_MAX),
        )

    @property
    def problem(self) -> str:
        """Why less is found than should be, "" when nothing is missing."""
        return self.engines.problem

    def wishes(self, controls: Controls, project: str) -> Wishes:
        """What is looked for in a request of *project* with *controls*, and what follows."""
        return wishes_of(controls, self.settings, self._projects.get(project, OURS))

    def strip(self, request: Request) -> Stripped | None:
        """The request without personal data and secrets; None where there are none."""
        return strip(request, self._finder(request))

    def personal(self, request: Request) -> bool:
        """
        Whether *request*, all of it, holds personal data or secrets, whoever asks for that or not.

        Raises:
            InvalidRequest: the body is nested too deeply.
        """
        found = redact_body(request.body, self._finder(request))
        return found is not None and tells_of_someone(found.findings)

    def _finder(self, request: Request) -> Find:
        parts, project = self.parts, request.principal.project

        def find(text: str) -> list[Finding]:
            found = parts.personal.find(text, self.engines.data.scan(text))
            return [one for one in found if not parts.allow.permits(one, text, project)]

        return find

    def begin(self, request: Request, wishes: Wishes) -> Scan:
        """A scan of *request*, to be begun and awaited."""
        refusing = bool(self.refused(request.controls))
        project = request.principal.project
        return Scan(self.parts, wishes, project, refusing=refusing)

    def refused(self, controls: Controls) -> tuple[Severity, ...]:
        """Severities of patterns that nobody may send who speaks as *controls* do."""
        severities = self.settings.refuse_severities
        if NEURALROUTING in controls.families:
            return (*severities, *NEURALROUTING_REFUSES)
        return severities

    def describe(self) -> str:
        """One line for the log at start."""
        engines = self.engines
        models = [one.version for one in (engines.guard, engines.names) if one is not None]
        count = len(engines.patterns.patterns) + len(engines.data.patterns)
        known = f"{count} patterns by {engines.patterns.engine}"
        return ", ".join([known, *models, *([engines.problem] if engines.problem else [])])


@functools.cache
def shipped_patterns() -> tuple[PatternSet, PatternSet]:
    """
    The patterns of this release, of attacks and of data. They take seconds to compile, so once is
    enough.
    """
    patterns = read_patterns()
    return (
        PatternSet([one for one in patterns if one.kind in ATTACKS]),
        PatternSet([one for one in patterns if one.kind not in ATTACKS]),
    )


def check_same(judge: Judge, guard: Guard, folder: Path) -> None:
    """Raise ArtefactError where the thresholds are for another guard than the one that is there."""
    if judge.guard != guard.version:
        raise ArtefactError(
            f"{folder}: thresholds are for {judge.guard}, the guard is {guard.version};"
            " run python -m models.train.judge"
        )


def load_engines(folder: Path = FILES) -> Engines:
    """
    Everything in *folder*. An artefact that cannot be used is logged as an error, and the scan goes
    on without.
    """
    problems: list[str] = []
    guard = judge = names = None
    try:
        guard, judge = Guard.load(folder), read_judge(folder)
        check_same(judge, guard, folder)
    except ArtefactError as error:
        log.error("attacks are found by patterns alone: %s", error)  # noqa: TRY400
        guard = None
        problems.append("no attack model")
    try:
        names = Names.load(folder)
    except ArtefactError as error:
        log.error("names of people and places are not found: %s", error)  # noqa: TRY400
        problems.append("no name model")
    attacks, data = shipped_patterns()
    return Engines(attacks, data, guard, judge, names, AbuseMonitor(), ", ".join(problems))
