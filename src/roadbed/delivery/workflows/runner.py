"""Runs the commands of pipelines in the sandbox, and writes what they print to the log of their step."""

import asyncio
import codecs
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakValueDictionary

from roadbed.core.sandbox import Limits, Outcome, Sandbox, SandboxSpec
from roadbed.core.services import Services
from roadbed.core.settings import DeliverySettings
from roadbed.delivery.workflows.tools import build_environment, find_tools, passwords_of, pick_environment
from roadbed.delivery.workflows.workspaces import PipelineFolders, Place
from roadbed.kit.text import clean_text, filesize
from roadbed.runs.contract import StepContext
from roadbed.secrets.contract import SecretMask

_TAIL_LINES = 200
_LONGEST_LINE = 100_000


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended, and the last lines it printed."""

    outcome: Outcome
    lines: Sequence[str]


class _Lines:
    """Cuts output into lines, for the log and for the end of it."""

    def __init__(self, context: StepContext, mask: SecretMask) -> None:
        self._context = context
        self._mask = mask
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)

    async def take(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in whole:
            self._write(line)
        if len(self._rest) > _LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        """Write the last line, which may have no end."""
        if self._rest:
            self._write(self._rest)
        self._rest = ""

    def _write(self, line: str) -> None:
        shown = line.rstrip("\r").rpartition("\r")[2]  # a bar that was drawn again and again: its last state
        masked = clean_text(self._mask.mask(shown))
        self._context.log(masked)
        self.tail.append(masked)


class Runner:
    """Runs commands, as many at a time as the settings allow."""

    def __init__(self, services: Services, settings: DeliverySettings, folders: PipelineFolders) -> None:
        self._sandbox = services.get(Sandbox)
        self._mask = services.get(SecretMask)
        self._settings = settings
        self._free = asyncio.Semaphore(settings.concurrency)
        self._tools = find_tools(self._sandbox.isolation, folders.tools)
        self._passed = pick_environment(os.environ, settings.pass_environment)
        self._mask.add(*passwords_of(self._passed.values()))
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self.folders = folders

    def lock_of(self, run_id: UUID) -> asyncio.Lock:
        """Return the lock of a run's place: whoever works in it, clears it or deletes it holds it."""
        return self._locks.setdefault(run_id, asyncio.Lock())

    async def run(
        self, context: StepContext, command: Sequence[str], *, place: Place, timeout_seconds: int | None = None
    ) -> CommandEnd:
        """Run a command to its end.

        Args:
            context: the step that it belongs to.
            command: the program and its arguments.
            place: where it works.
            timeout_seconds: what the pipeline allows it; the settings' limit when it says nothing.

        Raises:
            SandboxFailed: the sandbox could not be set up.
        """
        spec = SandboxSpec(
            workspace=place.folder,
            environment=build_environment(place, self._tools, passed=self._passed, about=_about(context)),
            readable=self._tools.readable,
            directory=place.source if place.source.is_dir() else None,
            limits=Limits(
                wall_seconds=timeout_seconds or self._settings.stage_timeout_seconds,
                output_bytes=self._settings.output_bytes,
            ),
        )
        if self._free.locked():
            await context.note("Waits for other pipelines")
        async with self._free:
            lines = _Lines(context, self._mask)
            outcome = await self._sandbox.run(command, spec=spec, on_output=lines.take)
        lines.finish()
        if outcome.dropped_bytes:
            limit, dropped = filesize(self._settings.output_bytes), filesize(outcome.dropped_bytes)
            context.log(
                f"{' '.join(command)} printed more than {limit}: {dropped} were dropped. "
                "Let it print less, or raise ROADBED_DELIVERY__OUTPUT_BYTES.",
                stream="info",
            )
        return CommandEnd(outcome, tuple(lines.tail))


def _about(context: StepContext) -> dict[str, str]:
    inputs = context.run_inputs
    return {
        "ROADBED_REPOSITORY": inputs["repository"],
        "ROADBED_COMMIT": inputs["commit"],
        "ROADBED_BRANCH": inputs["branch"],
        "ROADBED_RUN_ID": str(context.run_id),
    }
