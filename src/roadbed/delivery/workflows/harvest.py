"""Collects what a step leaves behind for people to read."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from roadbed.core.blobs import BlobStore
from roadbed.core.sandbox import find_file
from roadbed.core.services import Services
from roadbed.delivery.errors import ReportUnreadable
from roadbed.delivery.rules import reports as rules
from roadbed.delivery.types import Check, ReportKind, ReportPlan, ReportState, StageReport, TestCase
from roadbed.delivery.workflows.workspaces import Place
from roadbed.kit.text import clean_text

MAX_BYTES = 30_000_000
MAX_STAGE_BYTES = 100_000_000
MAX_FILES = 500


@dataclass
class Harvest:
    """What the steps of one stage reported so far, and what is to be said about it in the log."""

    stage: str
    reports: list[StageReport] = field(default_factory=list)
    cases: list[TestCase] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    size_bytes: int = 0

    def add(
        self,
        plan: ReportPlan,
        path: str,
        state: ReportState,
        summary: dict[str, Any],
        *,
        blob: str | None = None,
    ) -> None:
        self.reports.append(StageReport(self.stage, plan.kind, path, state, summary, blob))


async def collect(services: Services, place: Place, plans: Sequence[ReportPlan], harvest: Harvest) -> None:
    """Read the reports that a step left, into `harvest`."""
    for plan in plans:
        await asyncio.to_thread(_collect, services.get(BlobStore), place, plan, harvest)


def _collect(blobs: BlobStore, place: Place, plan: ReportPlan, harvest: Harvest) -> None:
    found = 0
    for name, file in _find_files(place, plan.path):
        found += 1
        try:
            _read(blobs, plan, name, file, harvest)
        except ReportUnreadable as error:
            harvest.add(plan, name, ReportState.UNREADABLE, {"reason": error.message})
            harvest.remarks.append(f"{name} cannot be read. {error.message} What it says does not count.")
    if not found:
        harvest.remarks.append(f"There is no {plan.path}.")
        if plan.kind is ReportKind.SCAN:
            check = Check("scan", ReportState.NOT_CHECKED, f"There is no {plan.path}: nothing says what was checked.")
            harvest.add(plan, plan.path, ReportState.NOT_CHECKED, {"checks": [asdict(check)]})


def _find_files(place: Place, pattern: str) -> Iterator[tuple[str, Path | None]]:
    """Give the files of a glob, by name; None for what is not a real file inside the workspace."""
    parts = PurePosixPath(pattern)
    if parts.is_absolute() or ".." in parts.parts or place.source.is_symlink():
        return
    names = sorted(path.relative_to(place.folder).as_posix() for path in place.source.glob(pattern))
    for name in names[:MAX_FILES]:
        yield clean_text(name.removeprefix("source/")), find_file(place.folder, name)


def _read(blobs: BlobStore, plan: ReportPlan, name: str, file: Path | None, harvest: Harvest) -> None:
    if file is None:
        raise ReportUnreadable("It is not a file, or a link that leads out of the workspace.")
    size_bytes = file.stat().st_size
    if size_bytes > MAX_BYTES:
        raise ReportUnreadable(f"It has more than {MAX_BYTES:,} bytes.")
    harvest.size_bytes += size_bytes
    if harvest.size_bytes > MAX_STAGE_BYTES:
        raise ReportUnreadable(f"The reports of this stage have more than {MAX_STAGE_BYTES:,} bytes together.")
    data = file.read_bytes()
    if plan.kind is ReportKind.JUNIT:
        cases = rules.read_junit(data, max_cases=rules.MAX_CASES - len(harvest.cases))
        counts = rules.count_tests(cases)
        harvest.cases += cases
        state = ReportState.FAILED if counts.failed else ReportState.PASSED
        harvest.add(plan, name, state, asdict(counts))
    elif plan.kind is ReportKind.COVERAGE:
        harvest.add(plan, name, ReportState.PASSED, rules.read_coverage(data))
    elif plan.kind is ReportKind.SCAN:
        checks = rules.read_scan(data)
        harvest.add(plan, name, rules.worst_state(checks), {"checks": [asdict(check) for check in checks]})
    elif plan.kind is ReportKind.SBOM:
        count = rules.count_components(data)
        harvest.add(plan, name, ReportState.PASSED, {"components": count}, blob=blobs.put(data).digest)
    else:
        harvest.add(plan, name, ReportState.PASSED, {"size_bytes": len(data)}, blob=blobs.put(data).digest)
