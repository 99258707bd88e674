"""Git's packet lines (gitprotocol-common) as far as a push needs them: the commands of one, and a report that refuses.

A line is four hexadecimal digits of its own length, then the data; `0000` ends a section. A push begins with one line
for each ref: `old new ref`, the first with NUL and the client's capabilities at its end.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from roadbed.scm.errors import InvalidTransfer

FLUSH = b"0000"
MAX_LINE = 65_520
MAX_COMMANDS = 10_000
_SIDE_BAND_DATA = 1
_SIDE_BAND_MESSAGE = 2
_SIDE_BAND_ERROR = 3
_COMMAND = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\0\n]+)")


@dataclass(frozen=True)
class PushCommand:
    """A client's wish to move `ref` from `old` to `new`; all zeros stand for "not there"."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True)
class PushHead:
    """What a push asks for, before its objects."""

    commands: tuple[PushCommand, ...]
    capabilities: frozenset[str]


def read_push_head(body: BinaryIO) -> PushHead:
    """Read the commands at the beginning of a request to git-receive-pack.

    Raises:
        InvalidTransfer: it is not what a git client sends.
    """
    commands: list[PushCommand] = []
    capabilities: frozenset[str] = frozenset()
    for line in _read_lines(body):
        if line.startswith((b"shallow ", b"push-cert")):
            if line.startswith(b"push-cert"):
                raise _invalid("signed pushes are not supported")
            continue
        data, _, rest = line.partition(b"\0")
        match = _COMMAND.fullmatch(data.rstrip(b"\n"))
        if match is None:
            raise _invalid("a command is not `old new ref`")
        if len(commands) >= MAX_COMMANDS:
            raise _invalid(f"more than {MAX_COMMANDS:,} refs in one push")
        if not commands:
            capabilities = frozenset(rest.decode("utf-8", "replace").split())
        old, new, ref = match.groups()
        commands.append(PushCommand(old.decode(), new.decode(), ref.decode("utf-8", "surrogateescape")))
    return PushHead(tuple(commands), capabilities)


def refusal(head: PushHead, reasons: Mapping[str, str], *, message: str) -> bytes:
    """Return the answer that refuses a push: the client shows each ref's reason, and `message` before them.

    Args:
        head: what was asked for.
        reasons: by ref; a ref without one is refused because of the others.
        message: for people, one or more lines.
    """
    report = b"".join(
        packet(f"ng {command.ref} {reasons.get(command.ref, OTHERS_REFUSED)}\n".encode("utf-8", "surrogateescape"))
        for command in head.commands
    )
    report = packet(b"unpack ok\n") + report + FLUSH
    if not head.capabilities & {"report-status", "report-status-v2"}:
        report = b""
    if "side-band-64k" not in head.capabilities:
        return report
    banded = b"".join(
        packet(bytes([_SIDE_BAND_MESSAGE]) + line.encode() + b"\n") for line in message.splitlines() if line
    )
    size = MAX_LINE - 5
    for start in range(0, len(report), size):
        banded += packet(bytes([_SIDE_BAND_DATA]) + report[start : start + size])
    return banded + FLUSH


def failure(message: str) -> bytes:
    """Return the answer to a push whose commands were not even read; the client shows `message` and gives up."""
    return packet(bytes([_SIDE_BAND_ERROR]) + message.encode() + b"\n") + FLUSH


OTHERS_REFUSED = "not updated, because another ref of this push was refused"


def packet(data: bytes) -> bytes:
    """Return `data` as one packet line."""
    return f"{len(data) + 4:04x}".encode() + data


def _read_lines(body: BinaryIO) -> Iterator[bytes]:
    while True:
        digits = body.read(4)
        if not digits or digits == FLUSH:
            return
        try:
            size = int(digits, 16)
        except ValueError as error:
            raise _invalid("a packet has no length") from error
        if not 4 < size <= MAX_LINE:
            raise _invalid(f"a packet of {size} bytes")
        line = body.read(size - 4)
        if len(line) != size - 4:
            raise _invalid("the request ends inside a packet")
        yield line


def _invalid(reason: str) -> InvalidTransfer:
    return InvalidTransfer(f"The push cannot be read: {reason}.", hint="Push with the ordinary git client.")
