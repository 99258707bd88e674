"""Pages of runs, and what runs add to pages of others."""

from roadbed.runs.web.finds import SEARCH_SOURCE, find_needs
from roadbed.runs.web.pages import router

__all__ = ["SEARCH_SOURCE", "find_needs", "router"]
