"""Rendering pages with Roadbed's own renderer, in a process that is ended when it takes too long."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from html import escape

from roadbed.docs.errors import RenderingFailed
from roadbed.docs.types import RawPage
from roadbed.kit import jsons

SITE_SECONDS = 300
_LINE_BYTES = 64_000_000
_SITE_BYTES = 256_000_000
_MODULE = "roadbed.docs.workflows.markdown"


async def render_pages(pages: Mapping[str, str], texts: Mapping[str, bytes]) -> tuple[list[RawPage], list[str]]:
    """Render Markdown; returns the pages and what went wrong with single ones.

    Args:
        pages: address → file.
        texts: file → content; a file that is missing was too long to be read.

    Raises:
        RenderingFailed: it took too long, or the process ended.
    """
    known = {path: texts[source].decode("utf-8", "replace") for path, source in pages.items() if source in texts}
    answers = await _run(known)
    found, notes = [], []
    for path, source in pages.items():
        answer = answers.get(path, {"error": "the file is too long"})
        if "error" in answer:
            notes.append(f"{source} is not shown: {answer['error']}.")
            answer = {"html": f"<p>This page is not shown: {escape(answer['error'])}.</p>"}
        found.append(RawPage(path, source, answer["html"]))
    return found, notes


async def _run(texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", _MODULE),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
        limit=_LINE_BYTES,
    )
    answers: dict[str, dict[str, str]] = {}
    try:
        async with asyncio.timeout(SITE_SECONDS):
            await asyncio.gather(_feed(process, texts), _collect(process, answers))
            code = await process.wait()
    except (TimeoutError, ValueError) as error:  # a line that is longer than any page may be
        raise RenderingFailed(f"{_say_where(texts, answers)} takes too long or grows too large.", hint=_HINT) from error
    finally:
        await _end(process)
    if code or len(answers) < len(texts):
        assert process.stderr is not None
        said = (await process.stderr.read(4_000)).decode("utf-8", "replace").strip().splitlines()
        raise RenderingFailed(
            f"{_say_where(texts, answers)} could not be rendered: {said[-1] if said else f'exit code {code}'}",
            hint=_HINT,
        )
    return answers


_HINT = "Look at that page: make it shorter, or leave it out."


async def _feed(process: Process, texts: Mapping[str, str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: its exit code says so
        for path, text in texts.items():
            process.stdin.write(jsons.write_json({"path": path, "text": text}) + b"\n")
            await process.stdin.drain()
        process.stdin.close()


async def _collect(process: Process, answers: dict[str, dict[str, str]]) -> None:
    assert process.stdout is not None
    size_bytes = 0
    while line := await process.stdout.readline():
        size_bytes += len(line)
        if size_bytes > _SITE_BYTES:
            raise ValueError("too much")
        answer = jsons.parse_json(line)
        answers[answer.pop("path")] = answer


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _say_where(texts: Mapping[str, str], answers: Mapping[str, object]) -> str:
    return next((path for path in texts if path not in answers), "The site")
