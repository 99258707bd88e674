"""The description of the REST API, for those who are signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from roadbed.core.access import signed_in
from roadbed.core.actor import Actor

router = APIRouter()

METHODS = ("get", "put", "post", "patch", "delete")
REFUSALS = {
    "401": "Nobody is signed in.",
    "403": "You may not do this.",
    "404": "What is named does not exist.",
    "409": "The state has moved on, or a name is taken.",
    "422": "What was given is wrong; `problems` lists each fault.",
}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 says it.",
    "required": ["type", "title", "status", "detail", "code", "hint", "trace_id"],
    "properties": {
        "type": {"type": "string", "description": "`urn:roadbed:error:` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Names the thing and says what happened."},
        "code": {"type": "string", "description": "For programs; the reference lists all of them."},
        "hint": {"type": ["string", "null"], "description": "What to do next."},
        "trace_id": {"type": "string"},
        "problems": {"type": "array", "items": {}, "description": "One text or object for each fault."},
        "context": {"type": "object", "description": "Further values for programs."},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`: FastAPI's, with the errors and the sign-in that all operations share."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status}": {"description": text, "content": content} for status, text in REFUSALS.items()
    }
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for operations in document["paths"].values():
        for method in METHODS:
            if method in operations:
                refused = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in REFUSALS}
                operations[method]["responses"].update(refused)
    return document


@router.get("/api/v1/openapi.json")
async def read_openapi(request: Request, _: Annotated[Actor, signed_in()]) -> dict[str, Any]:
    """Give the OpenAPI document of everything under /api/v1."""
    app: FastAPI = request.app
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return app.openapi_schema
