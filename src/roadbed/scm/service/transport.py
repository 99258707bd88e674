"""Git's smart HTTP protocol (gitprotocol-http): requests spooled to a file, answers streamed from `git http-backend`.

The body is spooled first because git reads and writes at its own pace: two pipes in one process would block each other,
and a client that vanishes must not leave a git behind that waits for it.
"""

import asyncio
import tempfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from roadbed.core.actor import Actor
from roadbed.core.services import Services
from roadbed.scm.errors import GitFailed, InvalidTransfer, PushTooLarge
from roadbed.scm.rules.pktline import PushHead, read_push_head, refusal
from roadbed.scm.rules.protection import explain_refusal, judge_push
from roadbed.scm.service.git import GitResult, git_environment, git_failed, process_group, read_stderr
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.service.refs import changing_refs
from roadbed.scm.types import Repository

log = structlog.get_logger(__name__)

UPLOAD_PACK = "git-upload-pack"
RECEIVE_PACK = "git-receive-pack"
SERVICES = (UPLOAD_PACK, RECEIVE_PACK)
FETCH_BYTES = 32_000_000
"""A fetch sends names of commits, a few MB in the largest of repositories."""
_CHUNK = 65_536
_HEAD_BYTES = 16_384


@dataclass(frozen=True)
class Transfer:
    """One request of a git client, with its body spooled.

    Args:
        service: `git-upload-pack` or `git-receive-pack`.
        is_advertisement: it asks for the refs (`info/refs`); there is no body.
        body: at its beginning.
        size_bytes: of the body.
        protocol: the `Git-Protocol` header.
    """

    service: str
    is_advertisement: bool
    body: BinaryIO | None = None
    size_bytes: int = 0
    protocol: str = ""


@dataclass(frozen=True)
class Start:
    """The beginning of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]


async def spool(
    chunks: AsyncIterator[bytes], *, folder: Path, is_compressed: bool, limit_bytes: int
) -> tuple[BinaryIO, int]:
    """Write a request's body to a nameless file and return it, rewound, with its size. Compressed ones are unpacked.

    Raises:
        PushTooLarge: there is more than `limit_bytes`, packed or unpacked.
        InvalidTransfer: it is not what gzip makes.
    """
    # A file without a name does not outlive a crash; the caller closes it.
    file: BinaryIO = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
    try:
        pieces = _unpacked(chunks) if is_compressed else chunks
        size_bytes = await _write(file, pieces, limit_bytes)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file, size_bytes


async def _write(file: BinaryIO, pieces: AsyncIterator[bytes], limit_bytes: int) -> int:
    size_bytes = 0
    async for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > limit_bytes:
            raise PushTooLarge(
                f"The push is larger than {limit_bytes:,} bytes.",
                hint="Push fewer commits at a time, keep large files elsewhere, or raise ROADBED_SCM__MAX_PUSH_BYTES.",
            )
        file.write(piece)
    return size_bytes


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack gzip data in pieces of a limited size, so that a small bomb cannot fill the memory."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        async for chunk in chunks:
            data = chunk
            while data and not unpacker.eof:
                yield unpacker.decompress(data, _CHUNK)
                data = unpacker.unconsumed_tail
    except zlib.error as error:
        raise InvalidTransfer(f"The request's gzip data cannot be read: {error}.", hint="Try again.") from error
    if not unpacker.eof:
        raise InvalidTransfer("The request's gzip data ends too early.", hint="Try again.")


async def fetch(services: Services, repository: Repository, transfer: Transfer) -> AsyncGenerator[Start | bytes, None]:
    """Answer a clone or fetch, or the question for refs of either service."""
    host = services.get(BuiltinHost)
    async with host.transfers, _backend(host, repository, transfer) as answer:
        async for part in answer:
            yield part


async def push(
    services: Services, actor: Actor, repository: Repository, transfer: Transfer
) -> AsyncGenerator[Start | bytes, None]:
    """Answer a push: judge it, let git do it, publish what moved; the answer's end is sent when that is recorded."""
    host = services.get(BuiltinHost)
    assert transfer.body is not None
    head = read_push_head(transfer.body)
    transfer.body.seek(0)
    if not head.commands:  # what clients send to see whether they are let in, before a large push
        yield _result_start()
        return
    reasons = judge_push(repository, actor, head.commands, is_empty=not await host.list_branches(repository))
    if reasons:
        log.info("scm.push_refused", repository=repository.full_name, reasons=reasons)
        yield _result_start()
        yield _refuse(host, repository, head, reasons)
        return
    held = b""
    async with changing_refs(services, actor, repository.id) as change:
        backend = _backend(host, change.repository, transfer, inherit=(change.descriptor,))
        async with host.transfers, backend as answer:
            async for part in answer:
                if isinstance(part, Start):
                    yield part
                    continue
                if held:
                    yield held
                held = part
    yield held


def _refuse(host: BuiltinHost, repository: Repository, head: PushHead, reasons: dict[str, str]) -> bytes:
    new_change_url = f"{host.page_url(repository)}/changes/new?source=my-change"
    return refusal(head, reasons, message=explain_refusal(repository, reasons, new_change_url=new_change_url))


def _result_start() -> Start:
    return Start(200, (("Content-Type", f"application/x-{RECEIVE_PACK}-result"), ("Cache-Control", "no-cache")))


@asynccontextmanager
async def _backend(
    host: BuiltinHost, repository: Repository, transfer: Transfer, *, inherit: Iterable[int] = ()
) -> AsyncIterator[AsyncIterator[Start | bytes]]:
    """Run `git http-backend` for one request and give its answer; whatever happens, no process is left at the end."""
    git = await host.open(repository)
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=transfer.body if transfer.body is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=git.folder,
        env=_environment(git.folder, host, transfer),
        start_new_session=True,
        pass_fds=tuple(inherit),
    )
    async with process_group(process):
        errors = asyncio.create_task(read_stderr(process))
        try:
            async with asyncio.timeout(host.settings.git_timeout_seconds):
                yield _answer(process, errors)
        except TimeoutError as error:
            raise GitFailed(
                f"git {transfer.service} took more than {host.settings.git_timeout_seconds} s and was ended.",
                hint="Push fewer commits at a time, or raise ROADBED_SCM__GIT_TIMEOUT_SECONDS.",
            ) from error
        finally:
            errors.cancel()


async def _answer(process: asyncio.subprocess.Process, errors: "asyncio.Task[str]") -> AsyncIterator[Start | bytes]:
    assert process.stdout is not None
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = await process.stdout.read(_CHUNK)
        if not chunk or len(data) > _HEAD_BYTES:
            raise git_failed("http-backend", GitResult(await process.wait(), b"", await errors))
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    yield _parse_start(head)
    if rest:
        yield rest
    while chunk := await process.stdout.read(_CHUNK):
        yield chunk
    code = await process.wait()
    said = await errors
    if code != 0:  # the client has git's own words already
        log.info("scm.git_ended", code=code, stderr=said.strip())


def _parse_start(head: bytes) -> Start:
    status = 200
    headers = []
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name:
            headers.append((name, value.strip()))
    return Start(status, tuple(headers))


def _environment(folder: Path, host: BuiltinHost, transfer: Transfer) -> dict[str, str]:
    config = {"receive__maxInputSize": str(host.settings.max_push_bytes)}
    is_post = not transfer.is_advertisement
    return git_environment(**config) | {
        "GIT_PROJECT_ROOT": str(folder.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": transfer.protocol,
        "PATH_INFO": f"/{folder.name}/" + (transfer.service if is_post else "info/refs"),
        "QUERY_STRING": "" if is_post else f"service={transfer.service}",
        "REQUEST_METHOD": "POST" if is_post else "GET",
        "CONTENT_TYPE": f"application/x-{transfer.service}-request" if is_post else "",
        "CONTENT_LENGTH": str(transfer.size_bytes) if is_post else "",
        "REMOTE_USER": "roadbed",  # http-backend lets only named users push; who it is was decided before
        "REMOTE_ADDR": "127.0.0.1",
    }
