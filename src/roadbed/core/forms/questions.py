"""Which questions a schema asks, given the answers so far."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

Schema = Mapping[str, Any]

ROUNDS = 10
"""An answer may bring a question whose default brings another one; a schema that goes on for longer is cut."""
_WHAT_DECIDES = frozenset({"const", "enum"})


@dataclass
class Questions:
    """Properties in the order in which they are asked, and those that need an answer."""

    properties: dict[str, Schema] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)

    def add(self, name: str, schema: Any, *, after: str | None) -> None:
        """Take in a property unless it is there: what a condition repeats only decides."""
        if name in self.properties:
            return
        self.properties[name] = schema if isinstance(schema, Mapping) else {}
        if after is None or after not in self.properties:
            return
        names = list(self.properties)
        names.insert(names.index(after) + 1, names.pop())
        self.properties = {name: self.properties[name] for name in names}


def join_name(path: Sequence[str]) -> str:
    """Return the name of the field at the end of a path of properties: `net.host`."""
    return ".".join(part.replace("~", "~0").replace(".", "~1") for part in path)


def list_questions(schema: Schema, values: Mapping[str, Any]) -> Questions:
    """Return what is asked, with what the conditions bring that hold for `values`."""
    questions = Questions()
    _collect(schema, values, questions, after=None)
    questions.properties = _order(questions.properties, schema.get("ui:order"))
    return questions


def fill_defaults(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the defaults of what is not answered, also of questions that an answer brings."""
    filled = deepcopy(dict(values))
    for _ in range(ROUNDS):
        before = deepcopy(filled)
        for name, declared in list_questions(schema, filled).properties.items():
            if name not in filled and "default" in declared:
                filled[name] = deepcopy(declared["default"])
            if is_group(declared) and isinstance(filled.get(name, {}), Mapping):
                inner = fill_defaults(declared, filled.get(name, {}))
                if inner or name in filled:
                    filled[name] = inner
        if filled == before:
            break
    return filled


def list_deciders(schema: Schema) -> set[str]:
    """Return the properties whose answers bring or take away other questions."""
    found: set[str] = {*_mapping(schema, "dependencies"), *_mapping(schema, "dependentSchemas")}
    for part in walk_parts(schema):
        if "if" in part:
            found |= set(_mapping(part["if"], "properties"))
        for branch in _branches(part):
            found |= set(_decisive(branch))
    return found


def find_schema_problem(schema: Schema) -> str | None:
    """Return why something is no JSON Schema that can be used; None when it is one."""
    try:
        validator(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return str(error).splitlines()[0]
    return None


def validator(schema: Schema) -> jsonschema_rs.Draft7Validator:
    """Return the validator of a schema; formats are checked, and nothing is fetched from anywhere."""
    return jsonschema_rs.Draft7Validator(dict(schema), validate_formats=True, retriever=_refuse)


def type_of(schema: Schema) -> str | None:
    """Return the type of a property; of several, the first that is not null. A choice has the type of its options."""
    declared = schema.get("type")
    types = declared if isinstance(declared, list) else [declared]
    first = next((name for name in types if name not in (None, "null")), None)
    if first is None and ("properties" in schema):
        return "object"
    return first


def is_group(schema: Schema) -> bool:
    """Tell whether a property is an object whose own properties are asked one by one."""
    return type_of(schema) == "object" and bool(schema.get("properties"))


def walk_parts(schema: Any) -> Iterator[Schema]:
    """Yield a schema and everything that its conditions may add on the same level, whatever the answers."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    inner = [schema.get("then"), schema.get("else"), *(schema.get("allOf") or []), *_branches(schema)]
    inner += [*_mapping(schema, "dependencies").values(), *_mapping(schema, "dependentSchemas").values()]
    for part in inner:
        yield from walk_parts(part)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} lies outside the schema, and nothing is fetched: put what it names into the schema.")


def _collect(schema: Any, values: Mapping[str, Any], into: Questions, *, after: str | None) -> None:
    if not isinstance(schema, Mapping):
        return
    for name, declared in _mapping(schema, "properties").items():
        into.add(name, declared, after=after)
    into.required |= {name for name in schema.get("required") or [] if isinstance(name, str)}
    for decider, part in _parts_that_hold(schema, values):
        if isinstance(part, list):
            into.required |= set(part)
        else:
            _collect(part, values, into, after=decider or after)


def _parts_that_hold(schema: Schema, values: Mapping[str, Any]) -> Iterator[tuple[str | None, Any]]:
    """Yield what a schema adds for these values, each with the property after which it belongs."""
    for word in ("dependencies", "dependentSchemas", "dependentRequired"):
        for name, part in _mapping(schema, word).items():
            if name in values:
                yield name, part
    for part in schema.get("allOf") or []:
        yield None, part
    for branch in _branches(schema):
        if _may_hold(branch, values):
            yield next(iter(_decisive(branch)), None), branch
    if "if" in schema:
        holds = validator(schema["if"]).is_valid(dict(values)) if isinstance(schema["if"], Mapping) else schema["if"]
        yield next(iter(_mapping(schema["if"], "properties")), None), schema.get("then" if holds else "else")


def _may_hold(branch: Any, values: Mapping[str, Any]) -> bool:
    """Tell whether what decides for a branch, its constants, fits the values; without any answer it does not."""
    decisive = _decisive(branch)
    answered = {name: declared for name, declared in decisive.items() if name in values}
    if decisive and not answered:
        return False
    return all(validator(declared).is_valid(values[name]) for name, declared in answered.items())


def _decisive(branch: Any) -> dict[str, Schema]:
    return {
        name: declared
        for name, declared in _mapping(branch, "properties").items()
        if isinstance(declared, Mapping) and _WHAT_DECIDES & set(declared) and "title" not in declared
    }


def _branches(schema: Any) -> list[Any]:
    return [*(schema.get("oneOf") or []), *(schema.get("anyOf") or [])]


def _mapping(schema: Any, word: str) -> Mapping[str, Any]:
    found = schema.get(word) if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _order(properties: dict[str, Schema], order: Any) -> dict[str, Schema]:
    """Put properties in the order of `ui:order`; `*` stands for those it does not name."""
    if not isinstance(order, list):
        return properties
    named = [name for name in order if name in properties]
    rest = [name for name in properties if name not in named]
    at = named.index("*") if "*" in named else len([name for name in order[: _star(order)] if name in properties])
    return {name: properties[name] for name in [*named[:at], *rest, *named[at:]]}


def _star(order: list[Any]) -> int:
    return order.index("*") if "*" in order else len(order)
