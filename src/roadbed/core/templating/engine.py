"""Rendering values and texts, with errors that name the file, the line and the expression."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import meta, nodes
from jinja2.environment import Template
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.runtime import Undefined

from roadbed.core.templating.environment import (
    VARIABLE_END,
    VARIABLE_START,
    TemplateEnvironment,
)
from roadbed.core.templating.filters import Filter
from roadbed.core.templating.limits import TemplateFailed, TemplateLimits, spending
from roadbed.core.templating.trees import TreeOptions, TreeReport, TreeWriter

MISSING = object()
"""What `render_value` gives for a text that is one expression without a value: `description: ${{ parameters.x }}`."""

_MARKS = (VARIABLE_START, "{%", "{#")
_FILENAME = "<roadbed template>"
_SOURCE_CHARACTERS = 2_000_000
_EXPRESSION_CHARACTERS = 160
_FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError, AttributeError)
"""What a faulty template can raise while it runs; anything else is a fault of ours and stays as it is."""

_HINTS = (
    (re.compile(r"unexpected char '&'"), "Write `and` instead of `&&`."),
    (re.compile(r"got 'pipe'|got '\|'"), "Write `or` instead of `||`."),
    (re.compile(r"unexpected char '\?'"), "Write `a if condition else b`."),
    (re.compile(r"unexpected char '!'"), "Write `not`."),
    (re.compile(r"No filter named"), "The reference page Templating lists the filters."),
)


class TemplateEngine:
    """Renders golden paths.

    Rendering takes the processor: a tree of files belongs into a thread or process, not on the event loop.

    Args:
        limits: what one template may use.
        filters: further filters; functions of JSON values.
        is_strict: whether a missing member is an error too, and not only an unknown name.
        trims_blocks: whether the line break after a block and the blanks before it go, as Backstage's `trimBlocks`.
    """

    def __init__(
        self,
        *,
        limits: TemplateLimits | None = None,
        filters: Mapping[str, Filter] | None = None,
        is_strict: bool = False,
        trims_blocks: bool = False,
    ) -> None:
        self.limits = limits or TemplateLimits()
        self._environments = {
            newline: TemplateEnvironment(
                filters=filters or {}, newline=newline, is_strict=is_strict, trims_blocks=trims_blocks
            )
            for newline in ("\n", "\r\n")
        }

    def render_value(self, value: Any, context: Mapping[str, Any], *, source: str = "template.yaml") -> Any:
        """Render all texts in a JSON value.

        A text that is exactly one expression keeps the type of its result. When it has none, its key is left out, an
        item of a list becomes null, and a text on its own gives `MISSING`.

        Args:
            value: JSON data from `template.yaml`.
            context: JSON data by name: `parameters`, `steps`, `user`.
            source: what errors call the place; the path inside the value is added.

        Raises:
            TemplateFailed: with file, line and expression.
        """
        return self._render_value(value, to_plain(context), source)

    def render_tree(
        self, source: Path, target: Path, context: Mapping[str, Any], *, options: TreeOptions | None = None
    ) -> TreeReport:
        """Render a folder of skeleton files, names included, into another folder.

        Args:
            source: the skeleton.
            target: where the result goes; made when it does not exist.
            context: JSON data by name: `{"values": …}`.
            options: which files are only copied, and whether existing files are replaced.

        Raises:
            TemplateFailed: a file or name cannot be rendered, or leads outside.
        """
        plain = to_plain(context)

        def render(text: str, name: str) -> str:
            return self._render_text(text, plain, name)

        return TreeWriter(source, target, render=render, limits=self.limits, options=options or TreeOptions()).write()

    def check(self, text: str, *, names: Collection[str], source: str = "text") -> None:
        """Check a template without rendering it: its syntax, its filters, and that it uses known names only.

        Raises:
            TemplateFailed: with file and line.
        """
        environment = self._environment_for(text)
        try:
            tree = environment.parse(text)
            environment.compile(text)
        except (TemplateSyntaxError, RecursionError, SyntaxError) as error:
            self._fail(error, text, source)
        unknown = sorted(meta.find_undeclared_variables(tree) - set(names) - set(environment.globals) - {"undefined"})
        if unknown:
            raise _failure(
                f'There is no "{unknown[0]}" here.', text=text, line=_line_of(text, unknown[0]), source=source
            )

    def _render_value(self, value: Any, context: dict[str, Any], source: str) -> Any:
        if isinstance(value, str):
            return self._render_typed(value, context, source)
        if isinstance(value, Mapping):
            rendered = {key: self._render_value(item, context, f"{source}: {key}") for key, item in value.items()}
            return {key: item for key, item in rendered.items() if item is not MISSING}
        if isinstance(value, list):
            items = [self._render_value(item, context, f"{source}[{at}]") for at, item in enumerate(value)]
            return [None if item is MISSING else item for item in items]
        return value

    def _render_typed(self, text: str, context: dict[str, Any], source: str) -> Any:
        if not self._is_one_expression(text):
            return self._render_text(text, context, source)
        inner = text.removeprefix(VARIABLE_START).removesuffix(VARIABLE_END)
        inner = inner.removeprefix("-").removesuffix("-")
        environment = self._environment_for(text)
        with spending(self.limits):
            try:
                value = environment.compile_expression(inner, undefined_to_none=False)(**context)
                if isinstance(value, Undefined):
                    str(value)  # an unknown name raises, a missing member does not
                    return MISSING
                return to_plain(value)
            except _FAULTS as error:
                self._fail(error, text, source)

    def _is_one_expression(self, text: str) -> bool:
        if not (text.startswith(VARIABLE_START) and text.endswith(VARIABLE_END)):
            return False
        try:
            body = self._environment_for(text).parse(text).body
        except (TemplateSyntaxError, RecursionError):
            return False  # rendering it gives the same error
        output = body[0] if len(body) == 1 else None
        return isinstance(output, nodes.Output) and len(output.nodes) == 1

    def _render_text(self, text: str, context: dict[str, Any], source: str) -> str:
        if not any(mark in text for mark in _MARKS):
            return text
        if len(text) > _SOURCE_CHARACTERS:
            raise _failure(f"It has more than {_SOURCE_CHARACTERS:,} characters.", text="", line=1, source=source)
        environment = self._environment_for(text)
        with spending(self.limits):
            try:
                code = environment.compile(text, filename=_FILENAME)
                return Template.from_code(environment, code, environment.make_globals(None)).render(context)
            except (*_FAULTS, SyntaxError) as error:
                self._fail(error, text, source)

    def _environment_for(self, text: str) -> TemplateEnvironment:
        return self._environments["\r\n" if "\r\n" in text else "\n"]

    def _fail(self, error: BaseException, text: str, source: str) -> NoReturn:
        line = _find_line(error) or (1 if len(text.splitlines()) == 1 else None)
        if isinstance(error, RecursionError):
            message = "It is nested too deeply."
        elif isinstance(error, TemplateError):
            message = str(error.message or error)
        else:
            message = f"{error}"
        hint = next((hint for pattern, hint in _HINTS if pattern.search(message)), None)
        raise _failure(message, text=text, line=line, source=source, hint=hint) from error


def to_plain(value: Any) -> Any:
    """Return JSON data copied to plain dicts and lists, so that a template meets no other object.

    Raises:
        TypeError: it holds something else.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Undefined):
        return None
    if isinstance(value, (list, tuple, range)) or hasattr(value, "__next__"):
        return [to_plain(item) for item in value]
    raise TypeError(f"A {type(value).__name__} is no value that can be kept.")


def _failure(message: str, *, text: str, line: int | None, source: str, hint: str | None = None) -> TemplateFailed:
    lines = text.splitlines()
    expression = lines[line - 1].strip()[:_EXPRESSION_CHARACTERS] if line and line <= len(lines) else ""
    place = f"{source}, line {line}" if line and len(lines) > 1 else source
    message = message if message.endswith((".", "?")) else f"{message}."
    shown = f" In: {expression}" if expression else ""
    return TemplateFailed(f"{place}: {message}{shown}", hint=hint, file=source, line=line, expression=expression)


def _find_line(error: BaseException) -> int | None:
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    line = None
    step = error.__traceback__
    while step is not None:
        template = step.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:  # an expression: its lines are those of the generated code
            line = template.get_corresponding_lineno(step.tb_lineno)
        elif step.tb_frame.f_code.co_filename == _FILENAME:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _line_of(text: str, name: str) -> int | None:
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)), None)
