"""The steps of a change of many entities: those that the catalog keeps, and those of one repository."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from roadbed.catalog.access import ENTITY_WRITE
from roadbed.catalog.errors import EntityInvalid, EntityManaged, EntityNotFound, SourceMissing
from roadbed.catalog.rules.documents import Reading, from_json
from roadbed.catalog.rules.rewriting import Piece, find_pieces, put_pieces, rewrite
from roadbed.catalog.service.bulk import CHANGE_FILES, CHANGE_KEPT, Wish, read_wish
from roadbed.catalog.service.editing.judging import FileJudge
from roadbed.catalog.service.editing.originals import Original, read_own
from roadbed.catalog.service.editing.origins import find_origin
from roadbed.catalog.service.editing.proposals import Proposal, Words, page_of, propose
from roadbed.catalog.service.entities import get_entity, put_entities
from roadbed.catalog.types import Changeable
from roadbed.core.errors import Forbidden
from roadbed.core.etags import Condition, PreconditionFailed
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome, StepContext, StepKind, needing
from roadbed.scm.contract import CHANGE_WRITE, FileContent, Repository, get_repository_by_id

_SHOWN = 50
_ATTEMPTS = 3


@dataclass
class _Tally:
    """What became of each entity."""

    context: StepContext
    changed: list[str] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)

    def take(self, ref: str) -> None:
        self.changed.append(ref)
        self.context.log(f"{ref}: changed")

    def refuse(self, ref: str, why: str) -> None:
        self.refused.append([ref, why])
        self.context.log(f"{ref}: not changed. {why}", stream="err")

    def done(self, **more: Any) -> Done:
        note = plural(len(self.changed), "entity", "entities") + " changed"
        if self.refused:
            note += f", {len(self.refused):,} not: {self.refused[0][1]}"
        return Done({"changed": self.changed, "refused": self.refused, **more}, note=note)


async def change_kept(context: StepContext) -> Outcome:
    """Change entities that the catalog keeps, each in a transaction of its own; what is done already is left alone."""
    tally, refs = _Tally(context), context.inputs["refs"]
    wish = await _read_wish(context)
    for number, ref in enumerate(refs):
        if number % 20 == 0:
            await context.note("Changes them", done=number, total=len(refs))
        try:
            await _change_kept(context, wish, parse_ref(ref))
        except (EntityNotFound, EntityInvalid, EntityManaged, PreconditionFailed, Forbidden) as error:
            tally.refuse(ref, error.message)
        else:
            tally.take(ref)
    return tally.done()


async def _change_kept(context: StepContext, wish: Wish, ref: EntityRef) -> None:
    """Set the field; once more when somebody else changes the entity at the same time."""
    for attempt in range(_ATTEMPTS):
        try:
            async with context.database.write() as session:
                entity = await get_entity(session, ref)
                document = {**entity.document, "spec": {**entity.spec, wish.field.value: wish.write(entity.ref)}}
                condition = Condition(frozenset({entity.digest}))
                await put_entities(session, context.actor, Reading((from_json(document),), ()), condition=condition)
        except PreconditionFailed:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


async def change_files(context: StepContext) -> Outcome:
    """Change the files of one repository in one commit, and open one change request."""
    tally = _Tally(context)
    wish = await _read_wish(context)
    async with context.database.read() as session:
        repository = await get_repository_by_id(session, UUID(context.inputs["repository_id"]))
    branch = context.inputs["branch"]
    files: dict[str, list[str]] = {}
    for ref, file in context.inputs["items"]:
        files.setdefault(file, []).append(ref)
    contents: dict[str, FileContent] = {}
    parent = ""
    for number, (file, refs) in enumerate(files.items()):
        await context.note(file, done=number, total=len(files))
        try:
            original = await read_own(context.services, repository, parent or branch, file)
        except SourceMissing as error:
            for ref in refs:
                tally.refuse(ref, error.message)
            continue
        parent = original.commit
        content = await _change_file(_FilePart(context, wish, repository, tally), original, file, refs)
        if content != original.content:
            contents[file] = original.with_content(content)
    if not contents:
        return tally.done()
    proposal = Proposal(
        contents, _words(context, wish, tally), parent, branch, f"{context.step_id}", tuple(tally.changed)
    )
    change = await propose(context.services, context.actor, repository, proposal)
    href = page_of(repository, change)
    meta = plural(len(contents), "file")
    await context.link("change request", title=f"{repository.full_name} #{change.number}", href=href, meta=meta)
    return tally.done(repository=repository.full_name, number=change.number, href=href)


@dataclass(frozen=True)
class _FilePart:
    """What the change of one file needs to know."""

    context: StepContext
    wish: Wish
    repository: Repository
    tally: _Tally


async def _change_file(part: _FilePart, original: Original, file: str, refs: list[str]) -> bytes:
    wanted = {parse_ref(ref): ref for ref in refs}
    pieces = await asyncio.to_thread(find_pieces, original.content, wanted)
    changes: list[tuple[Piece, str]] = []
    for parsed, ref in wanted.items():
        piece = pieces.get(parsed)
        if piece is None:
            part.tally.refuse(ref, f"{file} does not hold it any more.")
            continue
        text, why = await _change_piece(part, original, parsed, piece)
        if text is None:
            part.tally.refuse(ref, why)
            continue
        changes.append((piece, text))
        part.tally.take(ref)
    return put_pieces(original.content, changes)


async def _change_piece(part: _FilePart, original: Original, ref: EntityRef, piece: Piece) -> tuple[str | None, str]:
    """Return the new text of a document, or why there is none."""
    document: Mapping[str, Any] = piece.document.data
    if not isinstance(document.get("spec"), dict):
        return None, "Its document has no spec."
    wanted = {**document, "spec": {**document["spec"], part.wish.field.value: part.wish.write(ref)}}
    rewritten = await asyncio.to_thread(rewrite, piece.text, wanted)
    if rewritten is None or rewritten.has_lost_comments:
        return None, "Its text is of a form that only a person changes without harm."
    async with part.context.database.read() as session:
        origin = await find_origin(session, await get_entity(session, ref))
    judge = FileJudge(part.context.services, origin, original.commit)
    problems = [one for one in await judge.judge(rewritten.text, first_line=piece.first_line) if one.is_error]
    return (None, f"It would not be valid: {problems[0].reason}") if problems else (rewritten.text, "")


def _words(context: StepContext, wish: Wish, tally: _Tally) -> Words:
    value = wish.write(EntityRef("", "default", ""))
    listed = [f"- `{ref}`" for ref in tally.changed[:_SHOWN]]
    if len(tally.changed) > _SHOWN:
        listed.append(f"- and {len(tally.changed) - _SHOWN:,} more")
    parts = [context.run_inputs.get("message") or "", "\n".join(listed)]
    return Words(f"catalog: Set {wish.field} to {value}"[:200], "\n\n".join(filter(None, parts)))


async def _read_wish(context: StepContext) -> Wish:
    async with context.database.read() as session:
        return await read_wish(session, Changeable(context.run_inputs["field"]), context.run_inputs["value"])


STEPS = (
    StepKind(CHANGE_KEPT, change_kept, guard_retry=needing(ENTITY_WRITE)),
    StepKind(CHANGE_FILES, change_files, needs_host=True, guard_retry=needing(CHANGE_WRITE)),
)
