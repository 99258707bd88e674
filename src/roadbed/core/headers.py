"""Headers of a request as they came: where one is looked for that is asked thousands of times a second."""

from starlette.types import Scope


def find_header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of that name, in lower case, without reading all the others."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
