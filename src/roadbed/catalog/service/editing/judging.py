"""What reading a location would say to a document that stands in one of its files."""

import asyncio
from dataclasses import dataclass

from roadbed.catalog.rules.judging import FilePlace, judge_file
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.service.editing.originals import NOT_READ, make_include, refuse_include
from roadbed.catalog.service.editing.origins import Origin
from roadbed.catalog.service.location_options import allowed_kinds_of
from roadbed.core.services import Services


@dataclass(frozen=True)
class FileJudge:
    """Judges documents of one file; `commit` is the state of its repository, empty where there is none here."""

    services: Services
    origin: Origin
    commit: str

    async def judge(self, text: str, *, first_line: int) -> list[Problem]:
        """Return what is wrong, at the lines that the document has in its file; the first is counted from 0."""
        content = b"\n" * first_line + text.encode("utf-8", "replace")
        repository = self.origin.repository
        if repository is not None and self.commit:
            include = make_include(self.services, repository, self.commit, self.origin.file)
            judged = await asyncio.to_thread(judge_file, content, self._place(), self._kinds, include)
            return list(judged.problems)
        judged = await asyncio.to_thread(judge_file, content, self._place(), self._kinds, refuse_include)
        return [problem for problem in judged.problems if NOT_READ not in problem.reason]

    @property
    def _kinds(self) -> Kinds:
        return self.services.get(Kinds)

    def _place(self) -> FilePlace:
        location = self.origin.location
        if location is None:
            return FilePlace(self.origin.file, managed_by="", origin="")
        return FilePlace(
            self.origin.file,
            managed_by="",
            origin="",
            allowed_kinds=allowed_kinds_of(self.services, location),
            may_define_kinds=location.options.may_define_kinds,
        )
