"""What the tests of sandboxes share."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from roadbed.core.sandbox import (
    Mechanism,
    Outcome,
    Sandbox,
    SandboxSpec,
)

IS_ROOT = os.geteuid() == 0
MECHANISMS = [Mechanism.UID_AND_NAMESPACE, Mechanism.UID] if IS_ROOT else [Mechanism.NAMESPACE]
NOBODY = 65534


def make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def sh(sandbox: Sandbox, script: str, spec: SandboxSpec) -> tuple[Outcome, str]:
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    outcome = await sandbox.run(["sh", "-c", script], spec=spec, on_output=keep)
    return outcome, b"".join(pieces).decode(errors="replace")


def processes_with(mark: str) -> list[int]:
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and mark in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def until(is_true: Callable[[], object], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)
