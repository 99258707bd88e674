"""Words for results, and the lines of an output that tell why a command failed."""

import re
from collections.abc import Sequence

from roadbed.delivery.types import ReportState, StageReport, TestCase, TestCounts, TestState
from roadbed.kit.ansi import strip
from roadbed.kit.text import plural

STATES = {
    ReportState.PASSED: ("ok", "Passed"),
    ReportState.FAILED: ("bad", "Failed"),
    ReportState.NOT_CHECKED: ("todo", "Not checked"),
    ReportState.UNREADABLE: ("warn", "Unreadable"),
}
TESTS = {
    TestState.PASSED: ("ok", "Passed"),
    TestState.FAILED: ("bad", "Failed"),
    TestState.ERROR: ("bad", "Error"),
    TestState.SKIPPED: ("no", "Skipped"),
}
_CONDITIONS = {
    "isDefaultBranch": "Only on the default branch",
    "isDefaultBranch==true": "Only on the default branch",
    "!isDefaultBranch": "Only on branches other than the default one",
}
SHOWN_LINES = 5
_MAKE = re.compile(r"g?make(\[\d+\])?: (\*\*\*|Leaving|Entering)")


def count_words(counts: TestCounts) -> str:
    """Return `48 passed`, or `2 of 50 tests failed, 1 skipped`."""
    if counts.failed:
        words = f"{counts.failed:,} of {plural(counts.total, 'test')} failed"
    else:
        words = f"{counts.passed:,} passed"
    return words + (f", {counts.skipped:,} skipped" if counts.skipped else "")


def condition_words(condition: str | None) -> str:
    """Return when a stage or step is carried out, for people; an expression that is not a usual one is quoted."""
    return _CONDITIONS.get((condition or "").replace(" ", ""), f"Only where {condition} holds")


def report_words(report: StageReport) -> str:
    """Return one phrase on a report that is not of tests."""
    summary = report.summary
    if report.state is ReportState.UNREADABLE:
        return f"{report.path} cannot be read"
    if "percent" in summary:
        return f"{summary['percent']:g} % of lines covered"
    if "checks" in summary:
        words = ", ".join(f"{check['name']} {check['state'].replace('_', ' ')}" for check in summary["checks"])
        return words or "not checked"
    if "components" in summary:
        return plural(summary["components"], "component")
    return report.path


def failed_tests(cases: Sequence[TestCase]) -> str:
    """Return the first failed tests with what they say."""
    bad = [case for case in cases if case.state.is_bad]
    lines = [f"{case.title}: {first_line(case.message or case.details)}" for case in bad[:SHOWN_LINES]]
    if len(bad) > SHOWN_LINES:
        lines.append(f"and {len(bad) - SHOWN_LINES:,} more")
    return "; ".join(lines)


def first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:300]


def last_lines(lines: Sequence[str]) -> str:
    """Return the end of an output, without what make says; of quoted code, only the words beside it."""
    kept = [plain for line in lines if (plain := strip(line)).strip() and not _MAKE.match(plain.strip())]
    words = [line for line in kept if line[0].isalpha()] or kept
    return " · ".join(line.strip()[:300] for line in words[-SHOWN_LINES:])


def lacks_target(lines: Sequence[str], target: str) -> bool:
    """Tell whether make ended because the Makefile has no such target."""
    return any(f"No rule to make target '{target}'.  Stop." in line for line in lines[-SHOWN_LINES:])


def is_up_to_date(lines: Sequence[str], target: str) -> bool:
    """Tell whether make did nothing because a file has the target's name."""
    return bool(lines) and lines[-1] == f"make: '{target}' is up to date."
