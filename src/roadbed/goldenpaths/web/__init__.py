"""Pages of golden paths: which there are, the questions of one, the review before the run, and parts of other pages."""

from fastapi import APIRouter

from roadbed.goldenpaths.web import listing, review, wizard

router = APIRouter()
router.include_router(listing.router)
router.include_router(review.router)
router.include_router(wizard.router)

__all__ = ["router"]
