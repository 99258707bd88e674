"""Page: all documented entities, and the search over their pages."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.core.paging import PageQuery
from roadbed.core.search import split_match
from roadbed.docs.access import DocsReader
from roadbed.docs.rules.words import state_words
from roadbed.docs.schemas import cursor_of_subject, subject_of_cursor
from roadbed.docs.service.reading import Documented, count_documented, count_states, list_documented, search_pages

router = APIRouter()

FOUND = 25
_LONGEST = 200


class DocsPageQuery(PageQuery):
    """What to look for."""

    q: Annotated[str, Field(max_length=_LONGEST)] = ""


@router.get("/docs")
async def docs_page(
    request: Request, session: Reading, _: DocsReader, query: Annotated[DocsPageQuery, Query()]
) -> HTMLResponse:
    """Show what is documented and how its last build went; with words, the pages that have them."""
    text = query.q.strip()
    found = await list_documented(session, text=text, after=subject_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    is_more = len(found) > query.limit
    total = await count_documented(session, text=text)
    matches = await search_pages(session, text, limit=FOUND) if text and query.cursor is None else []
    states = await count_states(session)
    return await render(
        request,
        "docs/list.html",
        {
            "text": text,
            "rows": [show(documented) for documented in shown],
            "total": total,
            "is_empty": not text and not total,
            "waiting": states.get("waiting", 0),
            "matches": [{"match": match, "parts": split_match(text, match.title)} for match in matches],
            "found_limit": FOUND,
            "next": _next(text, shown[-1]) if is_more else None,
        },
    )


def show(documented: Documented) -> dict[str, Any]:
    return {
        "subject": documented.subject,
        "site": documented.site,
        "version": documented.version,
        "state": state_words(documented.site),
    }


def _next(text: str, last: Documented) -> str:
    given = {"q": text} if text else {}
    return f"?{urlencode({**given, 'cursor': cursor_of_subject(last.subject)})}"
