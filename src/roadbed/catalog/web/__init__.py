"""Pages of the catalog: the list, an entity, locations."""

from fastapi import APIRouter

from roadbed.catalog.web import entity, listing, places

router = APIRouter()
router.include_router(listing.router)
router.include_router(places.router)
router.include_router(entity.router)

__all__ = ["router"]
