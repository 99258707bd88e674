"""The slots for routes, and how handlers get at long-lived services."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request

from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services

T = TypeVar("T")

# Mounted under /api/v1.
API: Slot[APIRouter] = Slot(ContributionKind.API, APIRouter)
# Mounted at the root: pages, and protocols with addresses of their own.
PAGES: Slot[APIRouter] = Slot(ContributionKind.PAGES, APIRouter)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]


def service(kind: type[T]) -> Callable[[Request], T]:
    """Return the dependency that gives a handler the service of this type: `Annotated[Vault, Depends(service(Vault))]`."""

    def get(request: Request) -> Any:
        return request.app.state.services.get(kind)

    return get
