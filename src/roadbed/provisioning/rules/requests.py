"""Whether a request fits its resource type, and the names that follow from it."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import jsonschema_rs

from roadbed.kit.refs import parse_ref
from roadbed.kit.text import slugify
from roadbed.provisioning.errors import ResourceInvalid
from roadbed.provisioning.types import DEFAULT_CLASS

# A resource's id as Score has it.
_ID = r"[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*"
ID_PATTERN = f"^{_ID}$"
LONGEST_ID = 63


def check_request(name: str, class_: str, params: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Check one wish against its ResourceType's spec.

    Raises:
        ResourceInvalid: with one problem for each fault.
    """
    problems = []
    if len(name) > LONGEST_ID or not re.fullmatch(_ID, name):
        problems.append(_problem("id", f"use lower-case letters, digits and dashes, at most {LONGEST_ID}"))
    classes = [item["name"] for item in spec.get("classes", ())]
    if class_ != DEFAULT_CLASS and class_ not in classes:
        known = ", ".join([DEFAULT_CLASS, *classes])
        problems.append(_problem("class", f"{class_!r} is none of {known}"))
    validator = jsonschema_rs.validator_for(dict(spec["parameters"]))
    for fault in validator.iter_errors(dict(params)):
        place = ".".join(["params", *map(str, fault.instance_path)])
        problems.append(_problem(place, fault.message))
    if problems:
        told = "; ".join(f"{problem['path']}: {problem['reason']}" for problem in problems)
        raise ResourceInvalid(
            f"The resource {name!r} cannot be asked for like this: {told}.",
            hint="The resource type's page in the catalog shows what it takes.",
            problems=problems,
        )


def _problem(path: str, reason: str) -> dict[str, str]:
    return {"path": path, "reason": reason}


def label_of(application: str, environment: str, name: str) -> str:
    """Return the name under which people meet a resource outside of Roadbed: `orders-development-db`."""
    return slugify(f"{parse_ref(application).name}-{environment}-{name}")


def secret_folder(application: str, environment: str, type_: str, name: str) -> str:
    """Return the folder of a resource's secret outputs."""
    ref = parse_ref(application)
    parts = (ref.kind, ref.namespace, ref.name, environment, type_, name)
    return "resources/" + "/".join(slugify_part(part) for part in parts)


def slugify_part(text: str) -> str:
    """Return one part of a secret's path: lower case, beginning and ending with a letter or digit."""
    return re.sub(r"[^a-z0-9._-]", "-", text.lower()).strip("._-") or "x"


def database_name(label: str, resource_id: UUID) -> str:
    """Return the name of database and role: readable, unique by the id, and within PostgreSQL's 63 bytes."""
    words = slugify(label).replace("-", "_")
    if words.startswith("pg_"):
        words = f"app_{words}"  # PostgreSQL keeps names that begin with pg_ for itself
    return f"{words[:48]}_{resource_id.hex[-10:]}"


def plan_words(action: str) -> str:
    return {"create": "+", "replace": "±"}.get(action, "~")
