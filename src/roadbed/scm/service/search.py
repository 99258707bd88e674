"""What the search finds of repositories."""

from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.search import Hit, rank
from roadbed.scm.repository import repositories as table

LOOKED_AT = 200


async def find_repositories(session: ReadSession, _: Actor, text: str, *, limit: int) -> list[Hit]:
    """Find repositories by a part of owner and name, the best fitting first."""
    rows = await table.list_page(session, table.RepositoryFilter(search=text), after=None, limit=LOOKED_AT)
    names = [(rank(text, row.name), f"{row.owner}/{row.name}", row.description) for row in rows]
    best = sorted(names, key=lambda entry: (9 if entry[0] is None else entry[0], entry[1]))[:limit]
    return [Hit(name, f"/repositories/{name}", "git-branch", meta=description) for _, name, description in best]
