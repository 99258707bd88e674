"""Pages of documentation: the list, a site's pages, what is known of a site, and its parts on pages of others."""

from fastapi import APIRouter

from roadbed.docs.web import listing, proposals, runbooks, sites

router = APIRouter()
router.include_router(listing.router)
router.include_router(proposals.router)
router.include_router(runbooks.router)
router.include_router(sites.router)

__all__ = ["router"]
