"""Who may see the shell's own pages: whoever is signed in; what is on them depends on their permissions."""

from typing import Annotated

from roadbed.core.access import signed_in
from roadbed.core.actor import Actor

SignedIn = Annotated[Actor, signed_in()]
