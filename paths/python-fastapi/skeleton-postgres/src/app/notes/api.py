"""Notes over HTTP."""

from http import HTTPStatus
from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.notes.models import Note, NoteDraft, NotePage
from app.notes.repository import NoteRepository
from app.problems import Problem

MAX_ID = 2**63 - 1

router = APIRouter(prefix="/v1/notes", tags=["notes"])


def get_notes(request: Request) -> NoteRepository:
    return NoteRepository(request.app.state.database)


Notes = Annotated[NoteRepository, Depends(get_notes)]
NoteId = Annotated[int, Path(ge=1, le=MAX_ID)]
After = Annotated[int, Query(ge=0, le=MAX_ID, description="The `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a note", operation_id="addNote")
async def add_note(draft: NoteDraft, notes: Notes, response: Response) -> Note:
    note = await notes.add(draft)
    response.headers["Location"] = f"{router.prefix}/{note.id}"
    return note


@router.get("", summary="List notes, oldest first", operation_id="listNotes")
async def list_notes(notes: Notes, after: After = 0, limit: Limit = 50) -> NotePage:
    return await notes.list(after=after, limit=limit)


@router.get("/{note_id}", summary="Get a note", operation_id="getNote")
async def get_note(note_id: NoteId, notes: Notes) -> Note:
    return await notes.find(note_id) or _not_found(note_id)


@router.put("/{note_id}", summary="Replace a note", operation_id="replaceNote")
async def replace_note(note_id: NoteId, draft: NoteDraft, notes: Notes) -> Note:
    return await notes.replace(note_id, draft) or _not_found(note_id)


@router.delete(
    "/{note_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Remove a note",
    operation_id="removeNote",
)
async def remove_note(note_id: NoteId, notes: Notes) -> None:
    if not await notes.remove(note_id):
        _not_found(note_id)


def _not_found(note_id: int) -> NoReturn:
    raise Problem(HTTPStatus.NOT_FOUND, f"There is no note {note_id}.")
