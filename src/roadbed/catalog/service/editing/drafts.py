"""Editing the document of one entity in its file: what stands there, what it would become, and asking for it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from roadbed.catalog.errors import EntityInvalid, ProposalInvalid, SourceChanged, SourceMissing, SourceNotWritable
from roadbed.catalog.rules.comparison import TextDifference, compare_texts
from roadbed.catalog.rules.documents import Document, Reading, read_documents
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.rewriting import Piece, find_piece, put_piece, rewrite
from roadbed.catalog.rules.rewriting.rendering import render
from roadbed.catalog.rules.sources import MANAGED_BY, MANAGED_BY_ORIGIN, VIEW_URL
from roadbed.catalog.service.editing.judging import FileJudge
from roadbed.catalog.service.editing.originals import Original, read_elsewhere, read_own
from roadbed.catalog.service.editing.origins import Origin, find_origin, require_proposer
from roadbed.catalog.service.editing.proposals import Proposal, Words, make_key, propose
from roadbed.catalog.service.entities import get_entity, warn_of_owners
from roadbed.catalog.types import EntitySummary
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.kit.jsons import digest
from roadbed.kit.refs import EntityRef
from roadbed.scm.contract import REPOSITORY_READ, ChangeRequest, Repository

LONGEST_DOCUMENT = 200_000
_LINE_ENDS = re.compile(r"\r\n?")
_NOTED = (MANAGED_BY, MANAGED_BY_ORIGIN, VIEW_URL)


@dataclass(frozen=True)
class Opened:
    """An entity with the document that its file holds now.

    Args:
        entity: as the catalog has it.
        origin: where its file is.
        original: the file; None where it cannot be read, so that the document is written from what the catalog has.
        piece: the document in the file.
        text: the document.
    """

    entity: EntitySummary
    origin: Origin
    original: Original | None
    piece: Piece | None
    text: str

    @property
    def base(self) -> str:
        """What somebody who edits has seen: the commit; where there is none, a digest of the document."""
        return self.original.commit if self.original is not None and self.original.commit else _seal(self.text)

    @property
    def first_line(self) -> int:
        return self.piece.first_line if self.piece is not None else 0

    @property
    def document(self) -> Mapping[str, Any]:
        document: Mapping[str, Any] = self.piece.document.data if self.piece is not None else read_one(self.text).data
        return document

    def put(self, text: str) -> bytes:
        """Return the whole file with another document in place of this one."""
        if self.original is None or self.piece is None:
            return text.encode()
        return put_piece(self.original.content, self.piece, text)


@dataclass(frozen=True)
class Draft:
    """A document as somebody wants it: what is wrong with it, and what it changes."""

    opened: Opened
    text: str
    problems: tuple[Problem, ...]
    difference: TextDifference
    has_lost_comments: bool = False

    @property
    def is_sound(self) -> bool:
        return not any(problem.is_error for problem in self.problems)

    @property
    def is_same(self) -> bool:
        return self.text.strip() == self.opened.text.strip()


async def open_entity(services: Services, actor: Actor, ref: EntityRef, *, commit: str = "") -> Opened:
    """Return an entity with the document that its file holds: now, or in an earlier commit.

    Raises:
        EntityNotFound: there is none.
        SourceNotWritable: it is a part of Roadbed, or no file holds it.
        SourceMissing: its file does not hold it any more.
        ProposalInvalid: the document is too long to be edited here.
        Forbidden: the actor may not see its repository.
    """
    async with services.get(Database).read() as session:
        entity = await get_entity(session, ref)
        origin = await find_origin(session, entity)
    if origin.location is None:
        raise SourceNotWritable(f"{ref} is not edited as a file. {origin.reason}", hint="See its page.")
    if origin.repository is not None:
        services.get(DeciderService).require(actor, REPOSITORY_READ)
    original = await _read(services, actor, origin, entity, commit)
    if original is None:
        return Opened(entity, origin, None, None, render(_without_notes(entity.document)))
    piece = await asyncio.to_thread(find_piece, original.content, ref)
    if piece is None:
        raise SourceMissing(f"{origin.place} does not hold {ref} any more.", hint="Read its location again.")
    if len(piece.text) > LONGEST_DOCUMENT:
        raise ProposalInvalid(
            f"{ref} has {len(piece.text):,} characters; up to {LONGEST_DOCUMENT:,} are edited here.",
            hint="Clone the repository, and change it there.",
        )
    return Opened(entity, origin, original, piece, piece.text)


async def open_seen(services: Services, actor: Actor, ref: EntityRef, *, base: str, text: str = "") -> Opened:
    """Return an entity with the document that somebody has seen who edits it.

    Args:
        services: git and the database.
        actor: who edits.
        ref: of the entity.
        base: what `Opened.base` was then; empty for what there is now.
        text: the document then. Of a file that is only read nobody else has it any more.

    Raises:
        SourceChanged: there is something else now, and `text` is not what there was.
        EntityNotFound, SourceNotWritable, SourceMissing, ProposalInvalid, Forbidden: as `open_entity`.
    """
    now = await open_entity(services, actor, ref)
    if base in ("", now.base):
        return now
    if now.origin.repository is not None:
        return await open_entity(services, actor, ref, commit=base)
    content = _LINE_ENDS.sub("\n", text).encode()
    piece = await asyncio.to_thread(find_piece, content, ref) if _seal(text) == base else None
    if piece is None:
        raise _changed(now, before="")
    return replace(now, original=Original(content), piece=piece, text=piece.text)


async def draft_document(services: Services, opened: Opened, document: Mapping[str, Any]) -> Draft:
    """Return what becomes of a file when an entity is to be `document`: the smallest change of its text.

    Raises:
        ProposalInvalid: it cannot be written into this file.
    """
    rewritten = await asyncio.to_thread(rewrite, opened.text, document)
    if rewritten is None:
        raise ProposalInvalid(
            f"{opened.entity.ref} cannot be changed in its file by a form.", hint="Edit the text instead."
        )
    draft = await draft_text(services, opened, rewritten.text)
    return replace(draft, has_lost_comments=rewritten.has_lost_comments)


async def draft_text(services: Services, opened: Opened, text: str) -> Draft:
    """Return what becomes of a file when this text stands in place of an entity's document.

    Raises:
        ProposalInvalid: it is too long.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST_DOCUMENT:
        raise ProposalInvalid(f"A document has at most {LONGEST_DOCUMENT:,} characters here.", hint="Divide it.")
    if opened.text.startswith("---") and not text.startswith("---"):
        text = f"---\n{text}"
    problems = await _judge(services, opened, text)
    difference = await asyncio.to_thread(compare_texts, opened.text, text, first_line=opened.first_line)
    return Draft(opened, text, tuple(problems), difference)


async def propose_draft(
    services: Services, actor: Actor, draft: Draft, words: Words, *, base: str
) -> tuple[Repository, ChangeRequest]:
    """Ask for a draft to be merged into the branch that its location reads.

    Args:
        services: git and the database.
        actor: who asks.
        draft: made from the newest state of the file.
        words: title and message.
        base: the commit that the writer has seen.

    Raises:
        SourceNotWritable, ProposalInvalid, Forbidden.
        EntityInvalid: something is wrong with the document.
        SourceChanged: the document has changed since `base`.
    """
    opened = draft.opened
    repository = opened.origin.require()
    require_proposer(services, actor)
    words = words.check()
    if not draft.is_sound:
        raise EntityInvalid(
            f"{opened.entity.ref} would not be valid.",
            hint="See the problems.",
            problems=[problem.as_dict() for problem in draft.problems],
        )
    if draft.is_same:
        raise ProposalInvalid("Nothing was changed.", hint="Go back and change something.")
    await require_unchanged(services, actor, opened, base)
    assert opened.original is not None
    proposal = Proposal(
        {opened.origin.file: opened.original.with_content(opened.put(draft.text))},
        words,
        opened.base,
        opened.origin.branch,
        make_key(repository.id, actor.id, opened.origin.file, base, draft.text, words.title),
        (str(opened.entity.ref),),
    )
    return repository, await propose(services, actor, repository, proposal)


async def require_unchanged(services: Services, actor: Actor, opened: Opened, base: str, *, text: str = "") -> None:
    """Raise unless the document in the file is what the writer has seen: `base`, and `text` as `open_seen` takes it.

    Raises:
        SourceChanged: it is not; `before` in its context is what the writer saw, `now` what there is.
    """
    if base == opened.base:
        return
    try:
        seen = await open_seen(services, actor, opened.entity.ref, base=base, text=text) if base else None
    except SourceMissing:
        seen = None
    if seen is None or seen.text != opened.text:
        raise _changed(opened, before=seen.text if seen is not None else "")


def default_title(ref: EntityRef) -> str:
    """Return what a change request is called unless somebody says otherwise."""
    return f"catalog: Change {ref.name}"


def read_one(text: str) -> Document:
    """Return the one document of a text that was written here."""
    return read_documents(text).documents[0]


def _seal(text: str) -> str:
    """Return what tells a document from others; browsers send its lines with other ends."""
    return digest(_LINE_ENDS.sub("\n", text))[:40]


def _changed(opened: Opened, *, before: str) -> SourceChanged:
    return SourceChanged(
        f"{opened.origin.place} has changed since you began.",
        hint="See both changes, then decide.",
        before=before,
        now=opened.text,
        base=opened.base,
    )


async def _read(
    services: Services, actor: Actor, origin: Origin, entity: EntitySummary, commit: str
) -> Original | None:
    if origin.repository is not None:
        return await read_own(services, origin.repository, commit or origin.branch, origin.file)
    return await read_elsewhere(services, actor, origin, entity)


async def _judge(services: Services, opened: Opened, text: str) -> list[Problem]:
    """Return what is wrong with a document in its file, and owners that were probably meant otherwise."""
    problems = await FileJudge(services, opened.origin, opened.base).judge(text, first_line=opened.first_line)
    if any(problem.is_error for problem in problems):
        return problems
    content = b"\n" * opened.first_line + text.encode("utf-8", "replace")
    reading = await asyncio.to_thread(read_documents, content, file=opened.origin.file)
    async with services.get(Database).read() as session:
        warnings = await warn_of_owners(session, reading, services.get(Kinds))
    return [*problems, *_check_identity(opened, reading), *warnings]


def _check_identity(opened: Opened, reading: Reading) -> list[Problem]:
    """Report a text that is not one document, or that of another entity."""
    wanted = opened.entity.ref
    file, line = opened.origin.file, opened.first_line + 1
    if len(reading.documents) != 1:
        reason = f"This is {len(reading.documents)} documents, not one."
        return [Problem(file, line, 1, "", reason, "Add and remove entities in the repository itself.")]
    data = reading.documents[0].data
    metadata = data["metadata"]
    found = EntityRef(data["kind"], metadata.get("namespace") or "default", metadata["name"])
    if found != wanted:
        hint = f"{wanted} would be gone. Rename it in the repository itself."
        return [reading.documents[0].problem(("metadata", "name"), f"This is {found}, another entity.", hint)]
    return []


def _without_notes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as its file has it, as far as the catalog knows."""
    metadata = {key: value for key, value in document["metadata"].items() if key not in ("annotations", "uid")}
    annotations = document["metadata"].get("annotations") or {}
    own = {key: value for key, value in annotations.items() if key not in _NOTED}
    if metadata.get("namespace") == "default":
        del metadata["namespace"]
    named = metadata | ({"annotations": own} if own else {})
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": named,
        "spec": document["spec"],
    }
