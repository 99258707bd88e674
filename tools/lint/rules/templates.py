"""Templates hold no code and no style: the content security policy would refuse them in the browser."""

import re
from collections.abc import Iterator

from tools.lint.framework import Problem, Rule, Source

JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"<([a-zA-Z][\w-]*)((?:\"[^\"]*\"|'[^']*'|[^>\"'])*)>", re.DOTALL)
ATTRIBUTE = re.compile(r"""([^\s"'=<>/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
DATA_SCRIPTS = ("application/json", "application/ld+json", "importmap")


class TemplateCode(Rule):
    """Inline scripts, handlers and styles, and the htmx features that evaluate strings."""

    name = "template-code"
    code = "RB701"
    description = "templates have no inline script, style, event handler or htmx expression"

    def check(self, source: Source) -> Iterator[Problem]:
        if not source.is_template:
            return
        # What Jinja writes is blanked, newlines kept, so that lines stay right and macro arguments are no attributes.
        text = JINJA.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source.text)
        for tag in TAG.finditer(text):
            line = text.count("\n", 0, tag.start()) + 1
            name = tag.group(1).lower()
            attributes = {
                match.group(1).lower(): (match.group(2) or "").strip("\"'")
                for match in ATTRIBUTE.finditer(tag.group(2))
            }
            for message in _faults(name, attributes):
                yield self.problem(source, line, f"<{name}> {message}")


def _faults(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    if tag == "style":
        yield "holds a style sheet; move it to a file of static/css"
    if tag == "script" and "src" not in attributes and attributes.get("type", "") not in DATA_SCRIPTS:
        yield "holds a script; move it to a file of static/js"
    for name, value in attributes.items():
        plain = name.removeprefix("data-")
        if name == "style":
            yield "has a style attribute; use a class"
        elif plain.startswith(("hx-on", "on")):
            yield f"has {name}; listen in a file of static/js"
        elif plain.startswith("hx-trigger") and "[" in value:
            yield f"has a filter in {name}, which htmx evaluates as code; filter on the server"
        elif value.lower().lstrip().startswith(("javascript:", "js:")):
            yield f"has code in {name}"
