"""Work in a process of its own, and its bounds."""

import pytest

from roadbed.core.apart import ApartFailed, Bounds, OutOfBounds, run_apart, run_lines_apart

pytestmark = pytest.mark.anyio
BOUNDS = Bounds(seconds=20, memory_bytes=2_000_000_000)


async def test_function_takes_bytes_and_gives_bytes() -> None:
    assert await run_apart("base64:b64encode", b"orders", bounds=BOUNDS) == b"b3JkZXJz"


async def test_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADBED_SECRET", "hunter2")
    with pytest.raises(ApartFailed) as raised:
        await run_apart("os:getenvb", b"ROADBED_SECRET", bounds=BOUNDS)
    assert "NoneType" in str(raised.value)


@pytest.mark.parametrize(
    ("bounds", "given", "words"),
    [
        (Bounds(seconds=1, memory_bytes=2_000_000_000), b"sum(range(10**12))", "more than 1 second of"),
        (Bounds(seconds=20, memory_bytes=200_000_000), b"bytes(10**9)", "more than 200 MB"),
    ],
)
async def test_work_ends_at_its_bounds(bounds: Bounds, given: bytes, words: str) -> None:
    with pytest.raises(OutOfBounds) as raised:
        await run_apart("builtins:eval", given, bounds=bounds)
    assert words in raised.value.message


async def test_answer_that_grows_too_large_is_refused() -> None:
    bounds = Bounds(seconds=20, memory_bytes=2_000_000_000, answer_bytes=1_000_000)
    with pytest.raises(OutOfBounds, match="more than 1 MB"):
        await run_apart("builtins:eval", b"b'x' * 2_000_000", bounds=bounds)


async def test_stream_is_answered_value_by_value() -> None:
    answers: list[object] = []
    await run_lines_apart("builtins:list", [{"a": 1}, "b", None], bounds=BOUNDS, on_answer=answers.append)
    assert answers == [{"a": 1}, "b", None]


async def test_what_was_answered_before_a_failure_is_kept() -> None:
    answers: list[object] = []
    with pytest.raises(ApartFailed) as raised:
        await run_lines_apart("itertools:accumulate", [2, 4, "x", 6], bounds=BOUNDS, on_answer=answers.append)
    assert answers == [2, 6]
    assert "TypeError" in str(raised.value)


async def test_stream_ends_at_its_bounds() -> None:
    answers: list[object] = []
    bounds = Bounds(seconds=1, memory_bytes=2_000_000_000)
    with pytest.raises(OutOfBounds, match="more than 1 second"):
        await run_lines_apart("itertools:cycle", [1], bounds=bounds, on_answer=answers.append)
    assert answers[:2] == [1, 1]
