"""Every statement that reads or writes notes."""

from app.database import Database
from app.notes.models import Note, NoteDraft, NotePage


class NoteRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, draft: NoteDraft) -> Note:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "INSERT INTO notes (title, body) VALUES ($1, $2) RETURNING *",
                draft.title,
                draft.body,
            )
        return Note.model_validate(dict(row or {}))

    async def list(self, *, after: int, limit: int) -> NotePage:
        """Return the notes with the next ids. One more than asked for tells if any are left."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM notes WHERE id > $1 ORDER BY id LIMIT $2", after, limit + 1
            )
        items = [Note.model_validate(dict(row)) for row in rows[:limit]]
        return NotePage(items=items, next=items[-1].id if len(rows) > limit else None)

    async def find(self, note_id: int) -> Note | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow("SELECT * FROM notes WHERE id = $1", note_id)
        return Note.model_validate(dict(row)) if row else None

    async def replace(self, note_id: int, draft: NoteDraft) -> Note | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "UPDATE notes SET title = $2, body = $3, updated_at = now()"
                " WHERE id = $1 RETURNING *",
                note_id,
                draft.title,
                draft.body,
            )
        return Note.model_validate(dict(row)) if row else None

    async def remove(self, note_id: int) -> bool:
        async with self._database.connection() as connection:
            status = await connection.execute("DELETE FROM notes WHERE id = $1", note_id)
        return status == "DELETE 1"
