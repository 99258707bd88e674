"""Forms from JSON Schema, through the real macros and the rules of a browser: asked, posted, read, judged."""

import string
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadbed.core.forms import (
    Choices,
    FieldProblem,
    Picker,
    check_answers,
    fill_defaults,
    find_pickers,
    find_schema_problem,
    group_pairs,
    list_errors,
    make_fields,
    read_answers,
)
from tests.web.browser import ROOT
from tests.web.style_page import make_environment

UI: Any = make_environment().globals["ui"]


class Browser(HTMLParser):
    """Posts a form as a browser does: what is disabled, not ticked or not chosen stays at home."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: list[tuple[str, str]] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "disabled" in values:
            return
        if tag == "input" and "name" in values:
            is_box = values.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in values:
                self.pairs.append((values["name"], values.get("value", "")))
        elif tag == "select":
            self._select, self._options = values["name"], []
        elif tag == "option" and self._select:
            self._options.append((values.get("value", ""), "selected" in values))
        elif tag == "textarea":
            self._area, self._text = values["name"], ""

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, is_selected in self._options if is_selected] or [self._options[0][0]]
            self.pairs.append((self._select, chosen[-1]))
            self._select = None
        elif tag == "textarea" and self._area is not None:
            text = self._text.removeprefix("\n")
            self.pairs.append((self._area, text.replace("\n", "\r\n")))
            self._area = None


def post(schema: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> dict[str, list[str]]:
    """Return what a browser posts from the page that shows these values."""
    browser = Browser()
    browser.feed(str(UI.fields(make_fields(schema, values, **more))))
    return group_pairs(browser.pairs)


def form(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def fields_by_name(schema: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in make_fields(schema, values, **more)}


LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12).map(str.strip)
TEXT = LINE.filter(bool)
AREA = st.lists(TEXT, min_size=1, max_size=3).map("\n".join)
NUMBER = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())


OPTIONS = st.lists(TEXT, min_size=1, max_size=4, unique=True)
MIXED = st.permutations([1, 2.5, True, "1.5", "two"])
PLAIN: list[tuple[dict[str, Any], Any]] = [
    ({"type": "string"}, TEXT),
    ({"type": "string", "ui:widget": "textarea"}, AREA),
    ({"type": "integer"}, st.integers(-(10**20), 10**20)),
    ({"type": "number"}, st.one_of(NUMBER, st.integers(-1000, 1000))),
    ({"type": "boolean"}, st.booleans()),
    ({"type": "boolean", "ui:widget": "radio"}, st.booleans()),
    ({"type": "array", "items": {"type": "string"}}, st.lists(TEXT, min_size=1, max_size=3)),
    ({"type": "array", "items": {"type": "integer"}}, st.lists(st.integers(), min_size=1, max_size=3)),
    ({"type": "array", "items": {"type": "object"}}, st.lists(st.dictionaries(TEXT, TEXT), min_size=1)),
    ({"type": "object"}, st.dictionaries(TEXT, st.integers(), min_size=1)),
    ({"type": "string", "ui:widget": "hidden"}, TEXT),
]
CHOICES: list[Callable[[list[Any]], tuple[dict[str, Any], Any]]] = [
    lambda options: ({"type": "string", "enum": options}, st.sampled_from(options)),
    lambda options: ({"type": "string", "enum": options, "ui:widget": "radio"}, st.sampled_from(options)),
    lambda options: (
        {"oneOf": [{"const": option, "title": option, "description": "d"} for option in options]},
        st.sampled_from(options),
    ),
    lambda options: (
        {"type": "array", "items": {"type": "string", "enum": options}, "uniqueItems": True},
        st.lists(st.sampled_from(options), min_size=1, unique=True).map(lambda found: sorted(found, key=options.index)),
    ),
]


@st.composite
def a_property(draw: st.DrawFn, *, depth: int = 2) -> tuple[dict[str, Any], Any]:
    """Return a property and a strategy of answers that fit it. Only what is chosen is drawn: drawing takes longest."""
    chosen: Any = draw(st.sampled_from([*PLAIN, *CHOICES, "mixed", *(["form"] if depth else [])]))
    if chosen == "form":
        chosen = draw(a_form(depth=depth - 1))
    elif chosen == "mixed":
        options = draw(MIXED)
        chosen = {"enum": list(options)}, st.sampled_from(options)
    elif callable(chosen):
        chosen = chosen(draw(OPTIONS))
    declared, answers = chosen
    return declared, answers


@st.composite
def a_form(draw: st.DrawFn, *, depth: int = 2) -> tuple[dict[str, Any], Any]:
    names = draw(st.lists(st.text(string.ascii_letters + "._~-", min_size=1, max_size=6), min_size=1, max_size=4,
                          unique_by=lambda name: name.replace(".", "-").replace("~", "-")))  # fmt: skip
    parts = {name: draw(a_property(depth=depth)) for name in names}
    required = tuple(draw(st.lists(st.sampled_from(names), unique=True)))
    schema = form(required, **{name: declared for name, (declared, _) in parts.items()})
    return schema, st.fixed_dictionaries({name: answers for name, (_, answers) in parts.items()})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(a_form(), st.data())
def test_answers_come_back_from_the_browser_as_they_were_shown(
    made: tuple[dict[str, Any], Any], data: st.DataObject
) -> None:
    schema, answers = made
    values = data.draw(answers)
    assert read_answers(schema, post(schema, values)) == values
    assert check_answers(schema, values) == []


ODD = ["", " ", "1e999", "9" * 5000, "[" * 5000, "[NaN]", "١", "+1", "0x1", "true", "{", "null", "[1]", "1,5", "-0"]
GARBAGE = st.one_of(TEXT, st.sampled_from(ODD))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(a_form(), st.data())
def test_whatever_is_posted_is_read_judged_and_shown_again(
    made: tuple[dict[str, Any], Any], data: st.DataObject
) -> None:
    schema, answers = made
    names = list(post(schema, data.draw(answers)))
    posted = data.draw(st.dictionaries(st.sampled_from(names or ["x"]), st.lists(GARBAGE, min_size=1, max_size=2)))
    values = read_answers(schema, posted)
    problems = check_answers(schema, values)
    fields = make_fields(schema, values, problems=problems)
    assert len(list_errors(fields)) == len(problems)
    # What was shown once is shown the same again, apart from lists of which a part was no option.
    again = read_answers(schema, post(schema, values, problems=problems))
    assert read_answers(schema, post(schema, again)) == again


@pytest.mark.parametrize("widget", ["select", "radio"])
def test_option_called_none_is_not_chosen_before_it_is(widget: str) -> None:
    schema = form(("cache",), cache={"type": "string", "enum": ["redis", "None"], "ui:widget": widget})
    assert read_answers(schema, post(schema, {})) == {}
    assert read_answers(schema, post(schema, {"cache": "None"})) == {"cache": "None"}


def test_default_fills_what_is_not_answered_also_behind_an_answer() -> None:
    schema = form(ci={"type": "string", "enum": ["none", "tekton"], "default": "tekton"}) | {
        "dependencies": {
            "ci": {
                "oneOf": [
                    {"properties": {"ci": {"const": "none"}}},
                    {"properties": {"ci": {"const": "tekton"}, "registry": {"type": "string", "default": "quay"}}},
                ]
            }
        }
    }
    assert fill_defaults(schema, {}) == {"ci": "tekton", "registry": "quay"}
    assert fill_defaults(schema, {"ci": "none"}) == {"ci": "none"}


CONDITIONS: dict[str, dict[str, Any]] = {
    "dependencies with oneOf": {
        "dependencies": {
            "size": {
                "oneOf": [
                    {"properties": {"size": {"const": "small"}}},
                    {"properties": {"size": {"const": "large"}, "why": {"type": "string"}}, "required": ["why"]},
                ]
            }
        }
    },
    "if and then": {
        "if": {"properties": {"size": {"const": "large"}}, "required": ["size"]},
        "then": {"properties": {"why": {"type": "string"}}, "required": ["why"]},
    },
    "allOf with if inside dependencies": {
        "dependencies": {
            "size": {
                "allOf": [
                    {
                        "if": {"properties": {"size": {"const": "large"}}},
                        "then": {"properties": {"why": {"type": "string"}}, "required": ["why"]},
                    }
                ]
            }
        }
    },
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_condition_brings_a_question_behind_what_decides(condition: dict[str, Any]) -> None:
    schema = form(("size",), size={"type": "string", "enum": ["small", "large"]}, last={"type": "string"}) | condition
    assert list(fields_by_name(schema, {"size": "small"})) == ["size", "last"]
    asked = fields_by_name(schema, {"size": "large"})
    assert list(asked) == ["size", "why", "last"]
    assert asked["size"]["decides"] is True
    assert "decides" not in asked["last"]
    assert asked["why"]["is_required"] is True
    assert read_answers(schema, {"size": ["large"], "why": ["many"]}) == {"size": "large", "why": "many"}
    assert read_answers(schema, {"size": ["small"], "why": ["many"]}) == {"size": "small"}
    assert check_answers(schema, {"size": "large"}) == [FieldProblem("why", "An answer is needed here.")]
    assert check_answers(schema, {"size": "small"}) == []


@pytest.mark.parametrize(
    ("declared", "answer", "message", "suggestion"),
    [
        ({"type": "integer"}, "three", "It must be a whole number.", None),
        ({"type": "integer", "minimum": 3}, 1, "At least 3.", None),
        ({"type": "number", "exclusiveMaximum": 3}, 3, "Less than 3.", None),
        ({"type": "number", "multipleOf": 0.5}, 0.3, "A multiple of 0.5.", None),
        ({"type": "string", "minLength": 2}, "a", "At least 2 characters.", None),
        ({"type": "string", "maxLength": 3}, "abcd", "At most 3 characters; these are 4.", None),
        ({"type": "string", "pattern": "^[a-z-]+$"}, "My App", "It does not have the form that is wanted: ^[a-z-]+$",
         "my-app"),
        ({"type": "string", "pattern": "^[a-z_]+$"}, "refunds-db",
         "It does not have the form that is wanted: ^[a-z_]+$", "refunds_db"),
        ({"type": "string", "pattern": "^[a-z]+$", "ui:errorMessage": "Lower-case letters only."}, "A1",
         "Lower-case letters only.", None),
        ({"type": "string", "enum": ["small", "large"]}, "smal", "It must be one of: small, large.", "small"),
        ({"oneOf": [{"const": "small"}, {"const": "large"}]}, "larg", "It must be one of: small, large.", "large"),
        ({"type": "string", "format": "email"}, "ada", "This is not an e-mail address, such as ada@example.com.", None),
        ({"type": "string", "format": "uri"}, "here", "This is not an address, such as https://example.com.", None),
        ({"type": "array", "minItems": 2}, ["a"], "At least 2 entries.", None),
        ({"type": "array", "uniqueItems": True}, ["a", "a"], "Each entry only once.", None),
        ({"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}, ["a", "B"],
         "Entry 2: It does not have the form that is wanted: ^[a-z]+$", "b"),
        ({"type": "array", "items": {"type": "object"}}, "[{", "It must be a list.", None),
    ],
)  # fmt: skip
def test_problem_is_said_in_words_with_what_was_probably_meant(
    declared: dict[str, Any], answer: Any, message: str, suggestion: str | None
) -> None:
    assert check_answers(form(it=declared), {"it": answer}) == [FieldProblem("it", message, suggestion)]


def test_problems_come_in_the_order_of_the_form_and_find_fields_in_groups() -> None:
    schema = form(
        ("name", "net"),
        name={"type": "string", "title": "Name"},
        net=form(("host",), host={"type": "string", "title": "Host"}, port={"type": "integer", "title": "Port"}),
    )
    problems = check_answers(schema, {"net": {"port": "x"}})
    assert [problem.name for problem in problems] == ["name", "net.host", "net.port"]
    errors = list_errors(make_fields(schema, {"net": {"port": "x"}}, problems=problems))
    assert errors[1] == {"id": "f-net-host", "label": "Host", "message": "An answer is needed here."}


def test_unknown_answer_is_named_with_the_nearest_question() -> None:
    schema = form(owner={"type": "string"}) | {"additionalProperties": False}
    assert check_answers(schema, {"onwer": "a"}) == [
        FieldProblem("onwer", "onwer is not asked for. Did you mean owner?")
    ]


def test_empty_text_is_no_answer_unless_a_default_was_taken_out() -> None:
    schema = form(("a",), a={"type": "string", "default": "x"}, b={"type": "string", "default": "y"},
                  c={"type": "string"}, d={"type": "integer", "default": 3})  # fmt: skip
    posted = {name: [""] for name in "abcd"}
    assert read_answers(schema, posted) == {"b": ""}
    assert check_answers(schema, {"b": ""}) == [FieldProblem("a", "An answer is needed here.")]


def test_secret_is_never_written_into_the_page() -> None:
    schema = form(token={"type": "string", "ui:widget": "password", "title": "Token"})
    fields = make_fields(schema, {"token": "do-not-show"})
    assert "do-not-show" not in str(UI.fields(fields))
    assert "do-not-show" not in repr(fields)
    assert read_answers(schema, {"token": [" kept as it is "]}) == {"token": " kept as it is "}


def test_picker_is_found_and_asked_with_what_the_caller_offers() -> None:
    declared = {"type": "string", "ui:field": "OwnerPicker", "ui:options": {"catalogFilter": {"kind": "Group"}}}
    schema = form(("owner",), owner=declared, net=form(system={"type": "string", "ui:field": "EntityPicker"}))
    assert find_pickers(schema, {}) == {
        "owner": Picker("OwnerPicker", {"catalogFilter": {"kind": "Group"}}),
        "net.system": Picker("EntityPicker", {}),
    }
    closed = Choices([("group:default/checkout", "Team Checkout")])
    offered = {"owner": closed, "net.system": Choices([("shop", "Shop")], is_closed=False)}
    fields = make_fields(schema, {}, choices=offered)
    assert (fields[0]["kind"], fields[0]["options"]) == (
        "select",
        [{"value": "group:default/checkout", "label": "Team Checkout"}],
    )
    assert fields[1]["fields"][0]["kind"] == "text"
    assert '<option value="shop">Shop</option>' in str(UI.fields(fields))
    assert make_fields(schema, {})[0]["kind"] == "text"


def test_words_of_a_field_come_from_the_schema() -> None:
    declared = {
        "type": "integer",
        "title": "Keep backups for",
        "description": "7 to 35.",
        "ui:help": "Older ones are deleted.",
        "ui:why": "They cost money.",
        "ui:options": {"unit": "days"},
        "ui:placeholder": "14",
        "ui:autofocus": True,
        "minimum": 7,
        "exclusiveMaximum": 36,
    }
    field = fields_by_name(form(keep=declared), {"keep": 14})["keep"]
    assert field == {
        "name": "keep",
        "id": "f-keep",
        "kind": "number",
        "label": "Keep backups for",
        "help": "7 to 35. Older ones are deleted.",
        "why": "They cost money.",
        "value": "14",
        "unit": "days",
        "placeholder": "14",
        "is_required": False,
        "is_disabled": False,
        "attrs": {"autofocus": "", "step": 1, "min": 7, "max": 35},
    }


def test_order_of_the_schema_is_kept() -> None:
    names: dict[str, Any] = {name: {"type": "string"} for name in "abcd"}
    assert list(fields_by_name(form(**names) | {"ui:order": ["d", "*", "a"]}, {})) == ["d", "b", "c", "a"]
    assert list(fields_by_name(form(**names) | {"ui:order": ["c"]}, {})) == ["c", "a", "b", "d"]


def test_names_of_options_are_shown() -> None:
    declared = {"type": "string", "enum": ["a", "b"], "enumNames": ["First"]}
    field = fields_by_name(form(("it",), it=declared), {})["it"]
    assert field["options"] == [{"value": "a", "label": "First"}, {"value": "b", "label": "b"}]


def test_disabled_field_answers_its_default() -> None:
    schema = form(("it",), it={"type": "string", "default": "fixed", "ui:disabled": True})
    assert read_answers(schema, post(schema, {"it": "fixed"})) == {"it": "fixed"}


def test_schema_that_names_another_one_is_refused_and_nothing_is_fetched() -> None:
    problem = find_schema_problem(form(it={"$ref": "https://example.com/schema.json"}))
    assert problem is not None
    assert "nothing is fetched" in problem
    assert find_schema_problem(form(it={"type": "strin"})) is not None
    assert find_schema_problem(form(it={"type": "string"})) is None


def test_golden_path_is_asked_page_by_page_as_it_is_written() -> None:
    template = yaml.safe_load((ROOT / "paths" / "python-fastapi" / "template.yaml").read_text())
    for page in template["spec"]["parameters"]:
        schema = {"type": "object", **page}
        values = fill_defaults(schema, {"name": "orders", "description": "Takes orders.", "owner": "shop"})
        own = {name: value for name, value in values.items() if name in page["properties"]}
        answered = fill_defaults(schema, own)
        assert check_answers(schema, answered) == []
        assert read_answers(schema, post(schema, answered)) == answered
    with_database = fields_by_name({"type": "object", **template["spec"]["parameters"][1]}, {"postgres": True})
    assert list(with_database) == ["postgres", "postgresSize"]
