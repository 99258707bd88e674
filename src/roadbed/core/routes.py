"""The slots for routes, and how handlers get at long-lived services."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request

from roadbed.core.extension import ContributionKind, Slot

T = TypeVar("T")

API_PREFIX = "/api/v1"
# Mounted under it.
API: Slot[APIRouter] = Slot(ContributionKind.API, APIRouter)
# Mounted at the root: pages, and protocols with addresses of their own.
PAGES: Slot[APIRouter] = Slot(ContributionKind.PAGES, APIRouter)


def service(kind: type[T]) -> Callable[[Request], T]:
    """Return the dependency that gives a handler a service: `Annotated[Vault, Depends(service(Vault))]`."""

    def get(request: Request) -> Any:
        return request.app.state.services.get(kind)

    return get
