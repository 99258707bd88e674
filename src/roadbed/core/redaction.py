"""Masking of secret values in what Roadbed shows and keeps: logs, runs, form echoes, errors.

A secret rarely leaks as it was entered. Tools print it base64-encoded inside an Authorization header, URL-encoded
inside an address, escaped inside JSON or HTML, as hex in a dump. A `Redactor` knows all of these forms of a
scope's values and replaces each with `***`. Roadbed's own tokens are known by their shape alone.

Searching stays fast with thousands of forms: each form is filed under one of its four-byte grams, the text is
read as four-byte integers at each of the four offsets (set operations in C), and only the forms whose gram occurs
are looked for. Which values belong to a scope is the secrets domain's knowledge, not this module's.
"""

import base64
import html
import json
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
MINIMUM_BYTES = 6
"""Shorter values are not masked: replacing every "a" or "prod" would destroy the text and prove the value."""

_MASK_BYTES = MASK.encode()
_GRAM_BYTES = 4
_HOLD_BYTES = 64 * 1024
_WRAP_WIDTHS = (64, 76)  # PEM, and MIME (which base64(1) follows)
_BASE64_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_PEM_ARMOUR = re.compile(rb"-----(BEGIN|END) [A-Z0-9 ]+-----")
_LOWER_PERCENT = re.compile(r"%[0-9A-F]{2}")
_LONGEST_TOKEN = 80
_TOKEN = re.compile(
    rb"rbt_[0-9A-Za-z]{46}"
    # base64 of it, as in the header that git sends, at the three places in a group of four where it may begin
    rb"|cmJ0X[\w+/-]{61,62}={0,2}|[\w+/-]?(?:JidF|yYnRf)[\w+/-]{61,63}={0,2}"
)


@dataclass(frozen=True)
class DataMask:
    """The box in which the composition root puts what hides all known secrets in a JSON-like structure."""

    mask: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """One way a secret can be written. A base64 form may share its outermost characters with its neighbours."""

    data: bytes
    is_open_left: bool = False
    is_open_right: bool = False


class Redactor:
    """Masks the secret values of one scope, and whatever has the shape of a token of Roadbed.

    Args:
        values: the secrets; those shorter than `MINIMUM_BYTES` are left alone and counted in `skipped_count`.
    """

    def __init__(self, values: Iterable[str | bytes]) -> None:
        forms: dict[bytes, _Form] = {}
        self.skipped_count = 0
        for value in values:
            data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            if len(data.strip()) < MINIMUM_BYTES:
                self.skipped_count += 1
                continue
            for form in _forms_of(data):
                forms[form.data] = _join(forms.get(form.data), form)
        self._by_gram = _file_by_gram(forms.values())
        self._grams = frozenset(self._by_gram)
        lengths = [len(form.data) for form in forms.values() if b"\n" not in form.data]
        self._longest_line_form = max([_LONGEST_TOKEN, *lengths])

    def mask(self, text: str) -> str:
        """Replace every form of every secret in `text`."""
        data = text.encode("utf-8", "surrogatepass")
        masked = self.mask_bytes(data)
        if masked is data:
            return text
        try:
            return masked.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a binary secret ended inside a character
            return masked.decode("utf-8", "replace")

    def mask_bytes(self, data: bytes) -> bytes:
        """Replace every form of every secret in `data`; the same object comes back when there is none."""
        spans = self._find_spans(data)
        return _replace(data, spans) if spans else data

    def mask_data(self, value: Any) -> Any:
        """Replace secrets in all strings, keys included, of a JSON-like structure."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, bytes):
            return self.mask_bytes(value)
        if isinstance(value, Mapping):
            return {self.mask_data(key): self.mask_data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask_data(item) for item in value]
        return value

    def stream(self) -> "RedactingStream":
        """Return a masker for output that arrives in chunks cut anywhere."""
        return RedactingStream(self)

    def _find_spans(self, data: bytes) -> list[tuple[int, int]]:
        """Return the merged, sorted ranges of `data` to be masked."""
        spans = [found.span() for found in _TOKEN.finditer(data)]
        for gram in self._grams_in(data):
            for form in self._by_gram[gram]:
                spans.extend(_occurrences(form, data))
        return _merge(spans)

    def _grams_in(self, data: bytes) -> set[int]:
        found: set[int] = set()
        if not self._grams:
            return found
        view = memoryview(data)
        for offset in range(_GRAM_BYTES):
            usable = (len(data) - offset) // _GRAM_BYTES * _GRAM_BYTES
            if usable > 0:
                found |= self._grams.intersection(view[offset : offset + usable].cast("I"))
        return found


class RedactingStream:
    """Masks a byte stream whose chunks may cut a secret in two.

    No form that is looked for here contains a line break (a secret of several lines is also masked line by line),
    so whole lines can be let go and only an unfinished line is held back. Of a line that grows past 64 KB all but
    the length of the longest form is let go.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next chunk; return what may be shown by now."""
        data = self._held + chunk
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if len(data) - cut > _HOLD_BYTES + 2 * self._redactor._longest_line_form:  # noqa: SLF001  # same module
            cut = self._cut_inside_line(data)
        self._held = data[cut:]
        return self._redactor.mask_bytes(data[:cut])

    def flush(self) -> bytes:
        """Return the held rest, at the end of the stream."""
        rest, self._held = self._held, b""
        return self._redactor.mask_bytes(rest)

    def _cut_inside_line(self, data: bytes) -> int:
        # Three more than the form: a character it may share on each side, and a padding sign.
        cut = len(data) - self._redactor._longest_line_form - 3  # noqa: SLF001  # same module
        for start, end in self._redactor._find_spans(data):  # noqa: SLF001  # same module
            if start < cut < end:
                return start
        return cut


def _join(known: _Form | None, form: _Form) -> _Form:
    """Return the form that masks what either of two equal texts needs."""
    if known is None:
        return form
    return _Form(form.data, known.is_open_left or form.is_open_left, known.is_open_right or form.is_open_right)


def _forms_of(value: bytes) -> Iterator[_Form]:
    """Yield every form of a secret: of the whole, and of each of its lines."""
    stripped = value.strip()
    yield from _forms_of_part(value)
    if stripped != value:
        yield from _forms_of_part(stripped)
    lines = stripped.splitlines()
    if len(lines) > 1:
        for line in lines:
            content = line.strip()
            if len(content) >= MINIMUM_BYTES and not _PEM_ARMOUR.fullmatch(content):
                yield from _forms_of_part(content)
    yield from _wrapped_base64(value)
    if stripped != value:
        yield from _wrapped_base64(stripped)


def _forms_of_part(part: bytes) -> Iterator[_Form]:
    yield _Form(part)
    yield _Form(part.hex().encode())
    yield _Form(part.hex().upper().encode())
    yield from _base64_forms(part)
    for quoted in {quote(part, safe=""), quote(part, safe="/"), quote_plus(part), quote(part, safe="!'()*~-_.")}:
        yield _Form(quoted.encode())
        yield _Form(_LOWER_PERCENT.sub(lambda match: match[0].lower(), quoted).encode())
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return  # binary values have no text forms
    for escaped in _escaped(text):
        yield _Form(escaped.encode("utf-8", "surrogatepass"))


def _escaped(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        once = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=is_ascii)[1:-1]  # JSON inside a JSON string, as in structured logs
    yield html.escape(text)
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as MarkupSafe writes it
    yield html.escape(text, quote=False)
    yield text.replace("'", "'\\''")  # inside single quotes of a shell
    yield text.replace("'", "'\"'\"'")


def _base64_forms(part: bytes) -> Iterator[_Form]:
    """Yield the characters that stay the same whatever stands before and after `part` in the encoded text.

    With k bytes before it, a part starts 8k bits into a group of four characters: the first ⌈8k/6⌉ characters
    are shared with the neighbours before, and ⌊8(k+n)/6⌋ is where the last unshared character ends.
    """
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + part)
        first = -(-shift * 8 // 6)
        last = (shift + len(part)) * 8 // 6
        stable = encoded[first:last]
        is_open_right = (shift + len(part)) % 3 != 0
        for data in {stable, stable.translate(_TO_URLSAFE), quote(stable, safe="").encode()}:
            yield _Form(data, is_open_left=shift != 0, is_open_right=is_open_right)


def _wrapped_base64(value: bytes) -> Iterator[_Form]:
    encoded = base64.b64encode(value)
    for width in _WRAP_WIDTHS:
        if len(encoded) > width:
            for start in range(0, len(encoded), width):
                line = encoded[start : start + width].rstrip(b"=")
                if len(line) >= MINIMUM_BYTES:
                    yield _Form(line, is_open_right=start + width >= len(encoded))


def _file_by_gram(forms: Iterable[_Form]) -> dict[int, tuple[_Form, ...]]:
    """File each form under its least used gram: tokens of one kind all begin alike."""
    uses: Counter[int] = Counter()
    filed: defaultdict[int, list[_Form]] = defaultdict(list)
    for form in forms:
        grams = [struct.unpack_from("=I", form.data, at)[0] for at in range(min(len(form.data) - _GRAM_BYTES + 1, 24))]
        gram = min(grams, key=lambda candidate: uses[candidate])
        uses[gram] += 1
        filed[gram].append(form)
    return {gram: tuple(members) for gram, members in filed.items()}


def _occurrences(form: _Form, data: bytes) -> Iterator[tuple[int, int]]:
    start = data.find(form.data)
    while start != -1:
        end = start + len(form.data)
        left = start - 1 if form.is_open_left and start > 0 and data[start - 1] in _BASE64_CHARACTERS else start
        if form.is_open_right:
            end += 1 if end < len(data) and data[end] in _BASE64_CHARACTERS else 0
            while end < len(data) and data[end : end + 1] == b"=":
                end += 1
        yield left, end
        start = data.find(form.data, start + 1)


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _replace(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for start, end in spans:
        pieces += (data[position:start], _MASK_BYTES)
        position = end
    pieces.append(data[position:])
    return b"".join(pieces)
