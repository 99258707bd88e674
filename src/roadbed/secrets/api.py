"""REST: which secrets exist, putting and deleting them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from roadbed.core.db import Reading, Writing
from roadbed.core.paging import text_cursor, text_of_cursor
from roadbed.secrets.access import SecretReader, SecretWriter
from roadbed.secrets.schemas import SecretIn, SecretOut, SecretPageOut, SecretQuery
from roadbed.secrets.service.values import delete_secret, list_secrets, put_secret

router = APIRouter(tags=["secrets"])

SecretPath = Annotated[str, Path(description="For example `teams/checkout/stripe-key`.")]


@router.get("/secrets")
async def list_stored_secrets(
    session: Reading, _: SecretReader, query: Annotated[SecretQuery, Query()]
) -> SecretPageOut:
    """List which secrets exist, by path. Values are never given."""
    found = await list_secrets(session, prefix=query.prefix, after=text_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return SecretPageOut(
        items=[SecretOut.model_validate(info) for info in shown],
        next_cursor=text_cursor(shown[-1].path) if len(found) > query.limit else None,
    )


@router.put("/secrets/{path:path}")
async def put_one_secret(session: Writing, actor: SecretWriter, path: SecretPath, body: SecretIn) -> SecretOut:
    """Store a value, or replace it."""
    info = await put_secret(session, actor, path=path, value=body.value.get_secret_value())
    return SecretOut.model_validate(info)


@router.delete("/secrets/{path:path}", status_code=204)
async def delete_one_secret(session: Writing, actor: SecretWriter, path: SecretPath) -> None:
    """Delete a value. What refers to it fails the next time it is used."""
    await delete_secret(session, actor, path=path)
