"""What the files say that stages leave behind: JUnit XML, coverage, scans, SBOMs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from roadbed.delivery.errors import ReportUnreadable
from roadbed.delivery.rules.xml import parse_xml
from roadbed.delivery.types import Check, ReportState, TestCase, TestCounts, TestState
from roadbed.kit.text import clean_text

MAX_CASES = 20_000
_NAME, _MESSAGE, _DETAILS = 500, 2_000, 16_000
_LONGEST_SECONDS = 10_000_000
_BAD = {"failure": TestState.FAILED, "error": TestState.ERROR}


class _JUnit:
    """Collects test cases."""

    def __init__(self, max_cases: int) -> None:
        self.cases: list[TestCase] = []
        self._max_cases = max_cases
        self._suites: list[str] = []
        self._case: dict[str, Any] | None = None

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        if depth == 0 and name not in ("testsuites", "testsuite"):
            raise ReportUnreadable(f"It is no JUnit report: it begins with <{name[:50]}>.")
        if name == "testsuite":
            self._suites.append(attributes.get("name", "")[:_NAME])
        elif name == "testcase":
            self._case = {
                "suite": self._suites[-1] if self._suites else "",
                "class_name": attributes.get("classname", "")[:_NAME],
                "name": attributes.get("name", "")[:_NAME],
                "state": TestState.PASSED,
                "seconds": _seconds(attributes.get("time")),
            }
        elif self._case is not None and (name in _BAD or name == "skipped"):
            self._case["state"] = _BAD.get(name, TestState.SKIPPED)
            self._case["message"] = attributes.get("message", "")[:_MESSAGE]

    def end(self, name: str, text: str) -> None:
        if name == "testsuite":
            self._suites.pop()
        elif self._case is not None and name in _BAD:
            self._case["details"] = text.strip()[:_DETAILS]
        elif name == "testcase" and self._case is not None:
            if len(self.cases) >= self._max_cases:
                raise ReportUnreadable(f"A stage may report {MAX_CASES:,} tests at most, and this is one more.")
            self.cases.append(TestCase(**self._case))
            self._case = None


def read_junit(data: bytes, *, max_cases: int = MAX_CASES) -> list[TestCase]:
    """Return the tests of a JUnit report, of which there may be `max_cases`.

    Raises:
        ReportUnreadable.
    """
    found = _JUnit(max_cases)
    parse_xml(data, found, keep_text_of=frozenset(_BAD))
    return found.cases


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_SECONDS else None  # else no time at all, or one that sums overflow with


def count_tests(cases: Sequence[TestCase]) -> TestCounts:
    return TestCounts(
        total=len(cases),
        failed=sum(case.state.is_bad for case in cases),
        skipped=sum(case.state is TestState.SKIPPED for case in cases),
        seconds=sum(case.seconds or 0.0 for case in cases),
    )


class _Coverage:
    """Finds covered and all lines in Cobertura's and JaCoCo's formats."""

    def __init__(self) -> None:
        self.lines: tuple[int, int] | None = None
        self.rate: float | None = None

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        if depth == 0 and name == "coverage":
            self.rate = _seconds(attributes.get("line-rate"))
            covered, valid = attributes.get("lines-covered", ""), attributes.get("lines-valid", "")
            if covered.isdecimal() and valid.isdecimal():
                self.lines = (int(covered), int(valid))
        elif depth == 1 and name == "counter" and attributes.get("type") == "LINE":
            covered, missed = attributes.get("covered", ""), attributes.get("missed", "")
            if covered.isdecimal() and missed.isdecimal():
                self.lines = (int(covered), int(covered) + int(missed))

    def end(self, name: str, text: str) -> None:
        pass


def read_coverage(data: bytes) -> dict[str, Any]:
    """Return `percent` and, where known, `covered` and `lines` of a Cobertura or JaCoCo report.

    Raises:
        ReportUnreadable.
    """
    found = _Coverage()
    parse_xml(data, found)
    if found.lines is not None and found.lines[1]:
        covered, lines = found.lines
        return {"percent": round(100 * covered / lines, 1), "covered": covered, "lines": lines}
    if found.rate is not None and found.rate <= 1 and found.lines is None:
        return {"percent": round(100 * found.rate, 1)}
    raise ReportUnreadable("It is neither a Cobertura nor a JaCoCo report with lines.")


def read_scan(data: bytes) -> list[Check]:
    """Return the checks of a scan report: `{"checks": [{"name", "state", "detail"}]}`.

    Raises:
        ReportUnreadable.
    """
    report = _read_json(data)
    checks = report.get("checks")
    if not isinstance(checks, list) or not all(isinstance(check, dict) for check in checks):
        raise ReportUnreadable("It has no list `checks`.")
    return [_read_check(check) for check in checks[:100]]


def _read_check(check: Mapping[str, Any]) -> Check:
    state, name = check.get("state"), check.get("name")
    if state not in ("passed", "failed", "not_checked") or not isinstance(name, str) or not name:
        raise ReportUnreadable(f"The check {str(name)[:50]!r} has the state {str(state)[:50]!r}.")
    detail = clean_text(str(check.get("detail") or ""))
    return Check(clean_text(name)[:_NAME], ReportState(state), detail[:_MESSAGE])


def worst_state(checks: Sequence[Check]) -> ReportState:
    """Return what all checks together say: no check at all is `not_checked`."""
    states = {check.state for check in checks}
    for state in (ReportState.FAILED, ReportState.NOT_CHECKED):
        if state in states:
            return state
    return ReportState.PASSED if states else ReportState.NOT_CHECKED


def count_components(data: bytes) -> int:
    """Return how many components a CycloneDX document lists.

    Raises:
        ReportUnreadable.
    """
    sbom = _read_json(data)
    if sbom.get("bomFormat") != "CycloneDX":
        raise ReportUnreadable("Its bomFormat is not CycloneDX.")
    components = sbom.get("components")
    return len(components) if isinstance(components, list) else 0


def _read_json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportUnreadable(f"It is not JSON: {str(error)[:200]}.") from error
    if not isinstance(value, dict):
        raise ReportUnreadable("It is not a JSON object.")
    return value
