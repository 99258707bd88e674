"""Work in a process of its own, and its bounds."""

import pytest

from roadbed.core.apart import ApartFailed, Bounds, OutOfBounds, run_apart

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
