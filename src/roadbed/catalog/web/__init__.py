"""Pages of the catalog: the list, an entity, the definition of an API, locations, kinds."""

from fastapi import APIRouter

from roadbed.catalog.web import (
    bookmarks,
    bulk,
    definition,
    editing,
    entity,
    fixing,
    graph,
    history,
    kinds,
    listing,
    location_forms,
    looking,
    places,
    proposing,
    saved_views,
)

router = APIRouter()
router.include_router(listing.router)
router.include_router(saved_views.router)
router.include_router(bookmarks.router)
router.include_router(bulk.router)
router.include_router(places.router)
router.include_router(looking.router)
router.include_router(location_forms.router)
router.include_router(kinds.router)
router.include_router(editing.router)
router.include_router(proposing.router)
router.include_router(fixing.router)
router.include_router(history.router)
router.include_router(graph.router)
router.include_router(entity.router)
router.include_router(definition.router)

__all__ = ["router"]
