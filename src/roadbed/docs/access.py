"""Who may read documentation, and have it built."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

DOCS_READ = Permission("docs.site.read", "Read documentation and report problems with it", VIEWERS)
DOCS_BUILD = Permission("docs.site.build", "Have documentation built anew, and settle reports", DEVELOPERS)

DocsReader = Annotated[Actor, requires(DOCS_READ)]
DocsBuilder = Annotated[Actor, requires(DOCS_BUILD)]
