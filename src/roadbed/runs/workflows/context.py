"""What a step kind is given while it runs."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import Database, outlast_losses
from roadbed.core.redaction import Redactor
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.runs import repository
from roadbed.runs.models import Run, RunStep
from roadbed.runs.rules import thaw_actor
from roadbed.runs.workflows.log_writer import LogWriter
from roadbed.secrets.contract import SecretMask


class RunningStep:
    """The implementation of `runs.types.StepContext`."""

    def __init__(self, run: Run, step: RunStep, *, outputs: dict[str, dict[str, Any]], services: Services) -> None:
        self.run_id: UUID = run.id
        self.step_id: UUID = step.id
        self.key = step.key
        self.title = step.title
        self.subject = run.subject
        self.inputs: dict[str, Any] = step.inputs
        self.run_inputs: dict[str, Any] = run.inputs
        self.outputs = outputs
        self.attempt = step.attempt
        self.resumed: dict[str, Any] | None = step.resumed
        self.actor: Actor = thaw_actor(run.actor)
        self.services = services
        self.database = services.get(Database)
        self.cancelled = asyncio.Event()
        self._secrets: list[str] = []
        self._known = services.get(SecretMask)
        self._own = Redactor(())
        self._log = LogWriter(
            self.database,
            run_id=run.id,
            step_id=step.id,
            limit_bytes=services.get(Settings).runs.log_bytes,
            mask=self.hide,
        )

    def log(self, text: str, *, stream: str = "out") -> None:
        self._log.add(text, stream=stream)

    def mask(self, *values: str) -> None:
        self._secrets.extend(values)
        self._own = Redactor(self._secrets)

    def hide(self, value: Any) -> Any:
        """Return JSON-like data without secret values: those of the vault, and those that this step was given."""
        return self._own.mask_data(self._known.mask_data(value))

    async def note(self, text: str, *, done: int | None = None, total: int | None = None) -> None:
        await outlast_losses(partial(self._write_note, self.hide(text), done, total))

    async def _write_note(self, text: str, done: int | None, total: int | None) -> None:
        async with self.database.write() as session:
            step = await repository.get_step(session, self.step_id)
            step.note, step.progress_done, step.progress_total = text, done, total
            await repository.notify(session, self.run_id)

    async def link(self, kind: str, *, title: str, href: str, meta: str = "") -> None:
        values = self.hide({"kind": kind, "title": title, "href": href, "meta": meta})
        await outlast_losses(partial(self._write_link, values))

    async def _write_link(self, values: dict[str, str]) -> None:
        async with self.database.write() as session:
            await repository.put_link(session, run_id=self.run_id, step_id=self.step_id, values=values)
            await repository.notify(session, self.run_id)

    def is_cancelled(self) -> bool:
        return self.cancelled.is_set()

    async def close(self) -> None:
        """Write the rest of the log."""
        await self._log.close()
