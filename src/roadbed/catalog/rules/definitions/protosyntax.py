"""The syntax of Protocol Buffers files (proto2, proto3, editions): declarations with their comments.

What options say beside `deprecated` and `default` is skipped, and so are extensions and reserved numbers.
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from roadbed.catalog.rules.definitions.model import BrokenDefinition

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    |(?P<word>\.?[A-Za-z_][\w.]*)
    |(?P<number>[-+]?\.?\d[\w.+]*)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<symbol>[{}()\[\]<>=;,:/-])""",
    re.VERBOSE,
)
_MOST_TOKENS = 2_000_000
_DEEPEST = 40
_PAIRS = {"{": "}", "[": "]", "(": ")", "<": ">"}
_LABELS = ("optional", "required", "repeated")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


@dataclass(slots=True)
class ProtoField:
    name: str
    type: str
    number: str
    label: str = ""
    key_type: str = ""
    oneof: str = ""
    default: str = ""
    comment: str = ""
    is_deprecated: bool = False


@dataclass(slots=True)
class ProtoEnum:
    name: str
    comment: str = ""
    values: list[ProtoField] = field(default_factory=list)
    is_deprecated: bool = False


@dataclass(slots=True)
class ProtoMessage:
    name: str
    comment: str = ""
    fields: list[ProtoField] = field(default_factory=list)
    messages: list["ProtoMessage"] = field(default_factory=list)
    enums: list[ProtoEnum] = field(default_factory=list)
    is_deprecated: bool = False


@dataclass(slots=True)
class ProtoMethod:
    name: str
    request: str
    response: str
    is_request_streamed: bool
    is_response_streamed: bool
    comment: str = ""
    is_deprecated: bool = False


@dataclass(slots=True)
class ProtoService:
    name: str
    comment: str = ""
    methods: list[ProtoMethod] = field(default_factory=list)


@dataclass(slots=True)
class ProtoFile:
    syntax: str = ""
    package: str = ""
    imports: list[str] = field(default_factory=list)
    services: list[ProtoService] = field(default_factory=list)
    messages: list[ProtoMessage] = field(default_factory=list)
    enums: list[ProtoEnum] = field(default_factory=list)


def parse(text: str) -> ProtoFile:
    """Return the declarations of a file.

    Raises:
        BrokenDefinition: it cannot be read; with the line.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[Token] = []
        self._comments: dict[int, str] = {}  # by the index of the token after them, or of that before on its line
        self._trailing: dict[int, str] = {}
        self._index = 0
        self._tokenize()

    def parse(self) -> ProtoFile:
        found = ProtoFile()
        while self._index < len(self._tokens):
            comment = self._comments.get(self._index, "")
            word = self._take().text
            if word in ("message", "enum", "service"):
                self._declaration(found, word, comment)
            else:
                self._setting(found, word)
        return found

    def _declaration(self, found: ProtoFile, word: str, comment: str) -> None:
        if word == "message":
            found.messages.append(self._message(comment, depth=1))
        elif word == "enum":
            found.enums.append(self._enum(comment))
        else:
            found.services.append(self._service(comment))

    def _setting(self, found: ProtoFile, word: str) -> None:
        match word:
            case "syntax" | "edition":
                self._expect("=")
                found.syntax = self._take().text.strip("\"'")
                self._expect(";")
            case "package":
                found.package = self._take_word("a package")
                self._expect(";")
            case "import":
                found.imports.append(self._take_import())
            case "option":
                self._skip_statement()
            case "extend":
                self._take_word("a message")
                self._skip_group("{")
            case ";":
                pass
            case _:
                self._fail(f"{word!r} is not expected here", back=1)

    def _tokenize(self) -> None:
        position, size, held = 0, len(self._text), []
        while position < size:
            match = _TOKEN.match(self._text, position)
            if match is None:
                self._fail_at(position, f"{self._text[position]!r} is not expected here")
            position, kind = match.end(), str(match.lastgroup)
            if kind == "comment":
                if self._is_trailing(match.start()):
                    self._trailing[len(self._tokens) - 1] = _clean(match[0])
                else:
                    held.append(_clean(match[0]))
            elif kind == "space":
                if match[0].count("\n") > 1:
                    held.clear()  # a comment with an empty line behind it speaks of nothing in particular
            else:
                if held:
                    self._comments[len(self._tokens)] = "\n".join(held).strip()
                    held = []
                if match[0] == "/":
                    self._fail_at(match.start(), "a comment does not end, or '/' stands alone")
                self._tokens.append(Token(kind, match[0], match.start()))
                if len(self._tokens) > _MOST_TOKENS:
                    self._fail_at(position, f"the file has more than {_MOST_TOKENS:,} tokens")

    def _is_trailing(self, start: int) -> bool:
        if not self._tokens:
            return False
        last = self._tokens[-1]
        return last.text != "{" and "\n" not in self._text[last.at : start]

    def _peek(self) -> str:
        return self._tokens[self._index].text if self._index < len(self._tokens) else ""

    def _take(self) -> Token:
        if self._index >= len(self._tokens):
            self._fail_at(len(self._text), "the file ends in the middle of a declaration")
        self._index += 1
        return self._tokens[self._index - 1]

    def _take_word(self, what: str) -> str:
        token = self._take()
        if token.kind != "word":
            self._fail(f"{what} is expected, not {token.text!r}", back=1)
        return token.text

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.text != text:
            self._fail(f"{text!r} is expected, not {token.text!r}", back=1)

    def _take_import(self) -> str:
        token = self._take()
        if token.kind == "word":
            token = self._take()
        self._expect(";")
        return token.text.strip("\"'")

    def _skip_statement(self) -> str:
        """Skip what follows up to the semicolon, and return it."""
        taken = []
        while (text := self._peek()) != ";":
            if text in _PAIRS:
                taken.append(self._skip_group(text))
            else:
                taken.append(self._take().text)
        self._take()
        return " ".join(taken)

    def _skip_group(self, opening: str) -> str:
        self._expect(opening)
        closers, taken = [_PAIRS[opening]], []
        while closers:
            text = self._take().text
            if text == closers[-1]:
                closers.pop()
            elif text in _PAIRS:
                closers.append(_PAIRS[text])
            taken.append(text)
        return " ".join(taken[:-1])

    def _message(self, comment: str, *, depth: int) -> ProtoMessage:
        found = ProtoMessage(self._take_word("a name"), comment)
        self._body(found, depth)
        return found

    def _body(self, found: ProtoMessage, depth: int) -> None:
        if depth > _DEEPEST:
            self._fail(f"messages are nested more than {_DEEPEST} levels deep", back=1)
        self._expect("{")
        while self._peek() != "}":
            comment = self._comments.get(self._index, "")
            match self._peek():
                case "message":
                    self._take()
                    found.messages.append(self._message(comment, depth=depth + 1))
                case "enum":
                    self._take()
                    found.enums.append(self._enum(comment))
                case "oneof":
                    self._take()
                    self._oneof(found)
                case "option":
                    found.is_deprecated |= _is_deprecated(self._skip_statement())
                case "reserved" | "extensions" | ";":
                    self._skip_statement()
                case "extend":
                    self._take()
                    self._take_word("a message")
                    self._skip_group("{")
                case _:
                    self._field(found, comment, depth=depth)
        self._take()

    def _oneof(self, found: ProtoMessage) -> None:
        name = self._take_word("a name")
        self._expect("{")
        while self._peek() != "}":
            if self._peek() in ("option", ";"):
                self._skip_statement()
            else:
                self._field(found, self._comments.get(self._index, ""), oneof=name, depth=_DEEPEST)
        self._take()

    def _field(self, found: ProtoMessage, comment: str, *, depth: int, oneof: str = "") -> None:
        label = self._take().text if self._peek() in _LABELS else ""
        key_type, type_ = "", self._take_word("a type")
        if type_ == "map" and self._peek() == "<":
            self._take()
            key_type = self._take_word("a type")
            self._expect(",")
            type_ = self._take_word("a type")
            self._expect(">")
        name = self._take_word("a name")
        self._expect("=")
        entry = ProtoField(name, type_, self._take().text, label, key_type, oneof, comment=comment)
        options = self._skip_group("[") if self._peek() == "[" else ""
        entry.is_deprecated = _is_deprecated(options)
        entry.default = default[1] if (default := re.search(r"\bdefault = (\S+)", options)) else ""
        found.fields.append(entry)
        if type_ == "group":
            entry.type = name
            group = ProtoMessage(name, comment)
            self._body(group, depth + 1)
            found.messages.append(group)
            return
        self._expect(";")
        entry.comment = comment or self._trailing.get(self._index - 1, "")

    def _enum(self, comment: str) -> ProtoEnum:
        found = ProtoEnum(self._take_word("a name"), comment)
        self._expect("{")
        while self._peek() != "}":
            if self._peek() in ("option", "reserved", ";"):
                found.is_deprecated |= _is_deprecated(self._skip_statement())
                continue
            told = self._comments.get(self._index, "")
            name = self._take_word("a name")
            self._expect("=")
            number = self._take().text
            options = self._skip_group("[") if self._peek() == "[" else ""
            self._expect(";")
            told = told or self._trailing.get(self._index - 1, "")
            found.values.append(ProtoField(name, "", number, comment=told, is_deprecated=_is_deprecated(options)))
        self._take()
        return found

    def _service(self, comment: str) -> ProtoService:
        found = ProtoService(self._take_word("a name"), comment)
        self._expect("{")
        while self._peek() != "}":
            told = self._comments.get(self._index, "")
            word = self._take().text
            if word == "rpc":
                found.methods.append(self._method(told))
            elif word == "option":
                self._skip_statement()
            elif word != ";":
                self._fail(f"{word!r} is not expected in a service", back=1)
        self._take()
        return found

    def _method(self, comment: str) -> ProtoMethod:
        name = self._take_word("a name")
        is_request_streamed, request = self._message_of_method()
        if self._take().text != "returns":
            self._fail("'returns' is expected", back=1)
        is_response_streamed, response = self._message_of_method()
        found = ProtoMethod(name, request, response, is_request_streamed, is_response_streamed, comment)
        if self._peek() == "{":
            found.is_deprecated = _is_deprecated(self._skip_group("{"))
        else:
            self._expect(";")
            found.comment = comment or self._trailing.get(self._index - 1, "")
        return found

    def _message_of_method(self) -> tuple[bool, str]:
        self._expect("(")
        word = self._take_word("a message")
        is_streamed = word == "stream" and self._peek() != ")"
        name = self._take_word("a message") if is_streamed else word
        self._expect(")")
        return is_streamed, name

    def _fail(self, reason: str, *, back: int) -> NoReturn:
        self._fail_at(self._tokens[self._index - back].at, reason)

    def _fail_at(self, position: int, reason: str) -> NoReturn:
        before = self._text[:position]
        raise BrokenDefinition(
            f"The file cannot be read: {reason}.",
            "Correct this place.",
            line=before.count("\n") + 1,
            column=position - before.rfind("\n"),
        )


def _is_deprecated(options: str) -> bool:
    return re.search(r"(?:^|[\s,])deprecated = true\b", options) is not None


def _clean(comment: str) -> str:
    """Return what a comment says."""
    if comment.startswith("//"):
        return comment[2:].strip()
    lines = (line.strip().removeprefix("*").strip() for line in comment[2:-2].split("\n"))
    return "\n".join(lines).strip()
