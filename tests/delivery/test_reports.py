"""What stages leave behind is read, whoever wrote it; what cannot be read says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.delivery.errors import ReportUnreadable
from roadbed.delivery.rules.reports import (
    count_components,
    count_tests,
    read_coverage,
    read_junit,
    read_scan,
    worst_state,
)
from roadbed.delivery.rules.words import count_words, failed_tests, lacks_target, last_lines
from roadbed.delivery.types import Check, ReportState, TestCase, TestCounts, TestState

JUNIT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="all"><testsuite name="unit" tests="4">
  <testcase classname="tests.test_a.TestB" name="test_good" time="1,000.5"><system-out>noise</system-out></testcase>
  <testcase classname="tests.test_a" name="test_bad[1 &lt; 2]" time="0.25">
    <failure message="assert 1 == 2">def test_bad():
    &gt; assert 1 == 2</failure></testcase>
  <testcase name="test_crash" time="soon"><error message="boom" type="E">trace</error></testcase>
  <testcase classname="c" name="test_later"><skipped message="not today"/></testcase>
</testsuite></testsuites>"""


def test_junit_is_read_with_failures_and_skips() -> None:
    cases = read_junit(JUNIT)
    assert [case.state for case in cases] == ["passed", "failed", "error", "skipped"]
    good, bad, crash, later = cases
    assert good.seconds == 1000.5
    assert (good.suite, good.title) == ("unit", "tests.test_a.TestB.test_good")
    assert bad.name == "test_bad[1 < 2]"
    assert bad.details == "def test_bad():\n    > assert 1 == 2"
    assert crash.seconds is None
    assert later.message == "not today"
    assert count_tests(cases) == TestCounts(4, 2, 1, 1000.75)
    assert count_words(count_tests(cases)) == "2 of 4 tests failed, 1 skipped"
    assert failed_tests(cases) == "tests.test_a.test_bad[1 < 2]: assert 1 == 2; test_crash: boom"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="&a;"/>"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        (b"<testsuite>" * 200, "nested"),
        (b"<html/>", "no JUnit report"),
        (b"not xml", "not XML"),
        (b"", "not XML"),
        (b"<testsuites><testsuite>", "not XML"),
        (b"<testsuite>" + b"<testcase name='t'/>" * 20_001 + b"</testsuite>", "20,000 tests at most"),
        (b"<testsuite>" + b"<a/>" * 500_001 + b"</testsuite>", "more than 500,000 elements"),
        (b'<testsuite name="' + b"a" * 2_000_000 + b'"/>', "a tag of more than 1,000,000 bytes"),
        (b"<testsuite " + b" ".join(b"a%d=''" % it for it in range(150_000)) + b"/>", "a tag of more than"),
        (b'<?xml version="1.0" encoding="utf-7"?><testsuite/>', "not XML"),
        (b'<?xml version="1.0" encoding="nowhere"?><testsuite/>', "not XML"),
        (b'<?xml version="1.0" encoding="idna"?><testsuite/>', "not XML"),
    ],
)
def test_bad_junit_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ReportUnreadable, match=reason):
        read_junit(data)


def test_times_that_no_test_takes_are_not_counted() -> None:
    times = (b"-1", b"nan", b"inf", b"1e308", b"1e308", b"99999999999999999999", b"2.5")
    cases = b"".join(b'<testcase name="t" time="%b"/>' % time for time in times)
    counts = count_tests(read_junit(b'<testsuite tests="-7" failures="1e99">' + cases + b"</testsuite>"))
    assert counts == TestCounts(7, 0, 0, 2.5)


def test_characters_that_cannot_be_stored_are_replaced() -> None:
    (check,) = read_scan(rb'{"checks": [{"name": "a\u0000", "state": "failed", "detail": "\ud800b"}]}')
    assert check == Check("a\N{REPLACEMENT CHARACTER}", ReportState.FAILED, "?b")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    for read in (read_junit, read_coverage, read_scan, count_components):
        try:
            read(data)
        except ReportUnreadable as error:
            assert error.message  # noqa: PT017 - most inputs are refused, and that is as good as read


JACOCO = b"""<report name="r"><package><counter type="LINE" missed="9" covered="1"/></package>
<counter type="LINE" missed="1" covered="3"/></report>"""


@pytest.mark.parametrize(
    ("data", "percent"),
    [
        (b'<coverage line-rate="0.931" lines-covered="931" lines-valid="1000"><packages/></coverage>', 93.1),
        (b'<coverage line-rate="0.5"/>', 50.0),
        (b'<!DOCTYPE coverage SYSTEM "http://example.org/x.dtd"><coverage line-rate="0.5"/>', 50.0),
        (JACOCO, 75.0),
    ],
)
def test_coverage_is_read_in_both_formats(data: bytes, percent: float) -> None:
    assert read_coverage(data)["percent"] == percent


@pytest.mark.parametrize(
    "data", [b"<coverage/>", b'<coverage line-rate="nan"/>', b'<coverage lines-covered="0" lines-valid="0"/>']
)
def test_coverage_without_a_number_is_refused(data: bytes) -> None:
    with pytest.raises(ReportUnreadable):
        read_coverage(data)


def test_scan_that_was_not_checked_is_not_passed() -> None:
    checks = read_scan(
        json.dumps(
            {
                "checks": [
                    {"name": "secrets", "state": "passed", "detail": "3 files"},
                    {"name": "dependencies", "state": "not_checked", "detail": "no database"},
                ]
            }
        ).encode()
    )
    assert worst_state(checks) is ReportState.NOT_CHECKED
    assert worst_state([*checks, Check("x", ReportState.FAILED, "")]) is ReportState.FAILED
    assert worst_state(checks[:1]) is ReportState.PASSED
    assert worst_state([]) is ReportState.NOT_CHECKED


@pytest.mark.parametrize(
    "report", [{}, {"checks": "all"}, {"checks": [1]}, {"checks": [{"name": "a", "state": "ok"}]}, []]
)
def test_scan_in_another_form_is_refused(report: object) -> None:
    with pytest.raises(ReportUnreadable):
        read_scan(json.dumps(report).encode())


def test_lines_that_matter_are_those_before_make_speaks() -> None:
    lines = [
        "cc main.c",
        "",
        "\x1b[31mmain.c:1: error\x1b[0m",
        "make[1]: Leaving directory 'x'",
        "make: *** [Makefile:2: all] Error 1",
    ]
    assert last_lines(lines) == "cc main.c · main.c:1: error"
    assert last_lines(["49 + assert longest >= 300", "   |", "Found 1 error.", "[*] 1 fixable"]) == "Found 1 error."
    assert lacks_target(["make: *** No rule to make target 'lint'.  Stop."], "lint")
    assert not lacks_target(["make: *** No rule to make target 'lint.c', needed by 'lint'.  Stop."], "lint")


def test_many_failures_are_counted() -> None:
    cases = [TestCase("s", "", f"t{number}", TestState.FAILED, None, "no") for number in range(8)]
    assert failed_tests(cases).endswith("; and 3 more")
