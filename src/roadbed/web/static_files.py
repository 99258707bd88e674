"""Static files: kept by browsers for as long as their version stands, and sent compressed.

A URL made by `asset()` carries the version of its content, so what it gives never changes. Without a version a browser
asks again each time and mostly hears that nothing changed.
"""

import gzip
import mimetypes
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
COMPRESSED = frozenset({".css", ".js", ".svg"})
SMALLEST_WORTH_COMPRESSING_BYTES = 1024


class Assets(StaticFiles):
    """The static folder of the pages.

    Args:
        directory: the folder; it does not change while the server runs.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._folder = directory
        self._compressed: dict[str, bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, compressed where the browser takes it, with how long to keep it."""
        response = await super().get_response(path, scope)
        is_versioned = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = FOREVER if is_versioned and response.status_code == 200 else ASK_AGAIN
        response.headers["Vary"] = "Accept-Encoding"
        if not self._can_compress(path, response, scope):
            return response
        content = self._compressed.get(path)
        if content is None:
            content = await run_in_threadpool(self._compress, path)
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        kept = {name: response.headers[name] for name in ("Cache-Control", "Vary", "Last-Modified")}
        weak = f"W/{response.headers['ETag']}"
        return Response(content, headers={**kept, "ETag": weak, "Content-Encoding": "gzip"}, media_type=media_type)

    def _can_compress(self, path: str, response: Response, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return (
            scope["method"] == "GET"
            and response.status_code == 200
            and Path(path).suffix in COMPRESSED
            and int(response.headers["Content-Length"]) >= SMALLEST_WORTH_COMPRESSING_BYTES
            and "gzip" in headers.get("Accept-Encoding", "")
            and "Range" not in headers
        )

    def _compress(self, path: str) -> bytes:
        content = gzip.compress((self._folder / path).read_bytes(), 9, mtime=0)
        self._compressed[path] = content
        return content
