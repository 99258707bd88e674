"""`/git/{owner}/{name}.git`: what the git client talks to.

A token is the password of HTTP Basic, or a Bearer. Errors are plain text, which the git client shows.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, BinaryIO

import structlog
from fastapi import APIRouter, Header, Query, Request
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from roadbed.core.access import DeciderService, signed_in
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.home import Home
from roadbed.core.http.problems import status_of
from roadbed.core.services import Services
from roadbed.scm.access import REPOSITORY_READ, REPOSITORY_WRITE
from roadbed.scm.errors import InvalidTransfer, PushTooLarge
from roadbed.scm.rules.pktline import failure
from roadbed.scm.service import transport
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.service.lookup import get_repository
from roadbed.scm.service.transport import RECEIVE_PACK, SERVICES, UPLOAD_PACK, Start, Transfer
from roadbed.scm.types import Repository

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/git")

DRAINED_BYTES = 64_000_000

GitUser = Annotated[Actor, signed_in()]
Protocol = Annotated[str, Header(alias="git-protocol", max_length=200)]
Encoding = Annotated[str, Header(alias="content-encoding")]


class GitAnswer(Response):
    """Streams git's answer. When the client is gone, git is ended and what it did is recorded."""

    def __init__(self, parts: AsyncGenerator[Start | bytes, None], body: BinaryIO | None) -> None:
        self.parts = parts
        self.body_file = body
        self.background: BackgroundTask | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        watching = asyncio.create_task(_wait_until_gone(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                log.info("scm.client_vanished", path=scope["path"])
        finally:
            sending.cancel()
            watching.cancel()
            await asyncio.wait({sending, watching})
            if self.body_file is not None:
                self.body_file.close()
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        async with aclosing(self.parts) as parts:
            async for part in parts:
                if isinstance(part, Start):
                    headers = [(name.lower().encode(), value.encode()) for name, value in part.headers]
                    await send({"type": "http.response.start", "status": part.status, "headers": headers})
                elif part:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@router.get("/{owner}/{name}/info/refs")
async def advertise_refs(
    request: Request,
    actor: GitUser,
    owner: str,
    name: str,
    protocol: Protocol = "",
    service: Annotated[str, Query()] = "",
) -> Response:
    """Tell the client which refs there are."""
    services: Services = request.app.state.services
    try:
        if service not in SERVICES:
            raise InvalidTransfer(
                "This git client is too old for this address.", hint="Use git 1.6.6 or later, over HTTP."
            )
        repository = await _open(services, actor, owner, name, service=service)
        parts = transport.fetch(services, repository, Transfer(service, is_advertisement=True, protocol=protocol))
        return GitAnswer(parts, None)
    except RoadbedError as error:
        return _explain(error)


@router.post("/{owner}/{name}/git-upload-pack")
async def upload_pack(
    request: Request, actor: GitUser, owner: str, name: str, protocol: Protocol = "", encoding: Encoding = ""
) -> Response:
    """Answer a clone or fetch."""
    services: Services = request.app.state.services
    try:
        repository = await _open(services, actor, owner, name, service=UPLOAD_PACK)
        body, size_bytes = await _spool(request, request.stream(), encoding, limit_bytes=transport.FETCH_BYTES)
        transfer = Transfer(UPLOAD_PACK, is_advertisement=False, body=body, size_bytes=size_bytes, protocol=protocol)
        return GitAnswer(transport.fetch(services, repository, transfer), body)
    except ClientDisconnect:
        return Response(status_code=499)
    except RoadbedError as error:
        return _explain(error)


@router.post("/{owner}/{name}/git-receive-pack")
async def receive_pack(
    request: Request, actor: GitUser, owner: str, name: str, protocol: Protocol = "", encoding: Encoding = ""
) -> Response:
    """Answer a push."""
    services: Services = request.app.state.services
    limit_bytes = services.get(BuiltinHost).settings.max_push_bytes
    stream = request.stream()
    try:
        repository = await _open(services, actor, owner, name, service=RECEIVE_PACK)
        body, size_bytes = await _spool(request, stream, encoding, limit_bytes=limit_bytes)
        transfer = Transfer(RECEIVE_PACK, is_advertisement=False, body=body, size_bytes=size_bytes, protocol=protocol)
        return GitAnswer(transport.push(services, actor, repository, transfer), body)
    except ClientDisconnect:
        return Response(status_code=499)
    except PushTooLarge as error:
        return await _give_up(stream, error, limit_bytes=limit_bytes)
    except RoadbedError as error:
        return _explain(error)


async def _open(services: Services, actor: Actor, owner: str, name: str, *, service: str) -> Repository:
    permission = REPOSITORY_WRITE if service == RECEIVE_PACK else REPOSITORY_READ
    services.get(DeciderService).require(actor, permission)
    services.get(BuiltinHost).require_here()
    async with services.get(Database).read() as session:
        return await get_repository(session, owner, name.removesuffix(".git"))


async def _spool(
    request: Request, stream: AsyncIterator[bytes], encoding: str, *, limit_bytes: int
) -> tuple[BinaryIO, int]:
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise InvalidTransfer(f"The request is packed with {encoding[:40]}.", hint="Use gzip or nothing.")
    folder = request.app.state.services.get(Home).folder("tmp")
    is_compressed = encoding in ("gzip", "x-gzip")
    return await transport.spool(stream, folder=folder, is_compressed=is_compressed, limit_bytes=limit_bytes)


def _explain(error: RoadbedError) -> Response:
    text = error.message if error.hint is None else f"{error.message}\n{error.hint}"
    return PlainTextResponse(f"{text}\n", status_of(error))


async def _give_up(stream: AsyncIterator[bytes], error: PushTooLarge, *, limit_bytes: int) -> Response:
    """Let the client say the rest, as far as it is bearable: before that it does not listen to reasons."""
    size_bytes = 0
    async for chunk in stream:
        size_bytes += len(chunk)
        if size_bytes > limit_bytes + DRAINED_BYTES:
            return _explain(error)
    text = f"{error.message}\n{error.hint}"
    return Response(failure(text), media_type=f"application/x-{RECEIVE_PACK}-result")


async def _wait_until_gone(receive: Receive) -> None:
    with suppress(ClientDisconnect):
        while (await receive())["type"] != "http.disconnect":
            pass
