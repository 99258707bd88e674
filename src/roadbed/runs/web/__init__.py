"""Pages of runs, and what runs add to pages of others."""

from fastapi import APIRouter

from roadbed.runs.web import listing, page
from roadbed.runs.web.finds import SEARCH_SOURCE, find_needs

router = APIRouter()
router.include_router(listing.router)
router.include_router(page.router)

__all__ = ["SEARCH_SOURCE", "find_needs", "router"]
