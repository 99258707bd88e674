"""The slots for routes, and how handlers get at long-lived services."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services

T = TypeVar("T")

API_PREFIX = "/api/v1"
# Mounted under it.
API: Slot[APIRouter] = Slot(ContributionKind.API, APIRouter)
# Mounted at the root: pages, and protocols with addresses of their own.
PAGES: Slot[APIRouter] = Slot(ContributionKind.PAGES, APIRouter)


@dataclass(frozen=True)
class MountedApp:
    """An application of its own at an address, asked before the router: for what is asked thousands of times a second.

    Each of its operations asks for a permission itself. `open` is called once, over running services.
    """

    prefix: str
    open: Callable[[Services], ASGIApp]


MOUNTS: Slot[MountedApp] = Slot(ContributionKind.MOUNT, MountedApp)


class MountsMiddleware:
    """Hands requests below a mounted address to its application."""

    def __init__(self, app: ASGIApp, *, services: Services, mounts: Sequence[MountedApp]) -> None:
        self.app = app
        self._mounts = [(f"{mount.prefix}/", mount.open(services)) for mount in mounts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for prefix, app in self._mounts:
                if scope["path"].startswith(prefix):
                    await app(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def service(kind: type[T]) -> Callable[[Request], T]:
    """Return the dependency that gives a handler a service: `Annotated[Vault, Depends(service(Vault))]`."""

    def get(request: Request) -> Any:
        return request.app.state.services.get(kind)

    return get
