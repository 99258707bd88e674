"""Values as YAML that stands between lines which others wrote."""

from typing import Any

import yaml

from roadbed.kit.yamls import represent_text

_NEVER_FOLD = 10**9
_KEY = "x"


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and quotes what not every reader takes for a text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the signature is PyYAML's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


_Dumper.add_representer(str, represent_text)


def render(value: Any, *, is_flow: bool = False) -> str:
    """Return JSON data as YAML, keys in their own order, no line folded."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLD, default_flow_style=is_flow
    )
    return text


def render_value(value: Any, *, column: int, is_flow: bool = False) -> tuple[str, str]:
    """Return what stands behind `key:`, and the lines below, for a key in a column."""
    if is_flow:
        return render(value, is_flow=True).removesuffix("\n").removesuffix("\n..."), ""
    first, _, rest = render({_KEY: value}).partition("\n")
    return first.removeprefix(f"{_KEY}:").strip(), indent(rest, column)


def render_entry(name: str, value: Any, *, column: int) -> str:
    """Return the lines of one key with its value, each indented."""
    return indent(render({name: value}), column)


def render_item(value: Any, *, column: int) -> str:
    """Return the lines of one item of a list, each indented."""
    return indent(render([value]), column)


def render_quoted(text: str, style: str) -> str | None:
    """Return a text in the quotes that stood there before; None where they do not fit."""
    if not text.isprintable():
        return None
    if style == "'":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if style == '"' else None


def indent(text: str, column: int) -> str:
    """Return lines moved to a column, without the last line feed; blank ones stay blank."""
    lines = text.removesuffix("\n").split("\n")
    return "\n".join(" " * column + line if line else line for line in lines)
