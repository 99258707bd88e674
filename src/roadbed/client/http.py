"""Requests to a Roadbed server, and its errors as exceptions.

ClientError
├── Unreachable   no answer: wrong address, server down
└── ApiError      the server's problem document: status, code, message, hint
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import httpx

UNAVAILABLE = 503
RETURN_SECONDS = 60.0
RETRY_SECONDS = 0.5


class ClientError(Exception):
    """Base of what can go wrong with a request. `hint` says what to do next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Unreachable(ClientError):
    """There was no answer."""


class ApiError(ClientError):
    """The server refused, and said why."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail") or f"The server answered {status}."), hint=body.get("hint"))
        self.status = status
        self.code = str(body.get("code", ""))
        self.problems: list[Any] = list(body.get("problems", []))


class Client:
    """A connection to one server as one account.

    Args:
        url: the server's address, `http://127.0.0.1:8400`.
        token: an access token; None is anonymous.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"Accept": "application/json", "User-Agent": "roadbed-cli"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        trusts: ssl.SSLContext | bool = True
        if self.url.startswith("http://"):
            trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody: reading the authorities takes 50 ms for nothing
        self._http = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=60, verify=trusts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str = "",
        etag: str = "",
    ) -> Any:
        """Send a request under `/api/v1` and return the JSON of its answer, or None when it has none.

        With a `key`, a request that is repeated does nothing a second time; with an `etag`, it is refused when there is
        another state than that.

        Raises:
            Unreachable, ApiError.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        with self._reach():
            headers = {"Idempotency-Key": key} if key else {}
            if etag:
                headers["If-Match"] = f'"{etag}"'
            answer = self._http.request(method, path, params=given, json=body, headers=headers)
        _raise_for(answer)
        return answer.json() if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Any = None, *, key: str = "", etag: str = "") -> Any:
        return self.request("POST", path, body=body, key=key, etag=etag)

    def send_yaml(self, path: str, content: bytes, *, etag: str = "") -> Any:
        """Send YAML documents and return the JSON of the answer; with an `etag` as `request` does."""
        headers = {"Content-Type": "application/yaml"} | ({"If-Match": f'"{etag}"'} if etag else {})
        with self._reach():
            answer = self._http.post(path, content=content, headers=headers)
        _raise_for(answer)
        return answer.json()

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path)

    def pages(self, path: str, *, limit: int, **params: Any) -> Iterator[Any]:
        """Yield up to `limit` items of a paged list."""
        cursor: str | None = None
        left = limit
        while left > 0:
            page = self.get(path, cursor=cursor, limit=min(left, 200), **params)
            yield from page["items"]
            left -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def pieces(self, path: str, **params: Any) -> Iterator[str]:
        """Yield the text of an answer that is streamed, as it comes.

        Raises:
            Unreachable, ApiError.
        """
        given = {name: value for name, value in params.items() if value is not None}
        with self._reach(), self._http.stream("GET", path, params=given) as answer:
            if answer.is_error:
                answer.read()
                _raise_for(answer)
            yield from answer.iter_text()

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield `(name, data)` of a server-sent event stream until its `end`.

        A stream that breaks, as when the server is restarted, is taken up where it broke; events that were sent after
        the last one with an id come again. Who is not back within `RETURN_SECONDS` is gone.

        Raises:
            Unreachable, ApiError.
        """
        last_id: str | None = None
        is_known = False  # the server has answered: when it is away now, it is expected back
        gone_at: float | None = None
        while True:
            try:
                for event in self._stream(path, last_id=last_id):
                    is_known, gone_at = True, None
                    last_id = event.get("id", last_id)
                    if "event" in event:
                        yield event["event"], json.loads(event["data"])
                    if event.get("event") == "end":
                        return
            except (Unreachable, ApiError) as error:
                is_away = isinstance(error, Unreachable) or error.status == UNAVAILABLE
                gone_at = gone_at or time.monotonic()
                if not is_known or not is_away or time.monotonic() > gone_at + RETURN_SECONDS:
                    raise
            time.sleep(RETRY_SECONDS)

    def _stream(self, path: str, *, last_id: str | None) -> Iterator[dict[str, str]]:
        """Yield the fields of each event until the connection ends; comments, which keep it open, come as none."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._reach(), self._http.stream("GET", path, headers=headers, timeout=httpx.Timeout(60)) as answer:
            if answer.is_error:
                answer.read()
                _raise_for(answer)
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                else:
                    yield event
                    event = {}

    @contextmanager
    def _reach(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            hint = "Is the server running (`roadbed up`)? Another address is given with --url or ROADBED_URL."
            raise Unreachable(f"There is no answer from {self.url}: {error}", hint=hint) from error


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    is_json = "json" in answer.headers.get("content-type", "")
    body = answer.json() if is_json else {"detail": f"{answer.url} answered {answer.status_code}, not as Roadbed does."}
    raise ApiError(answer.status_code, body)
