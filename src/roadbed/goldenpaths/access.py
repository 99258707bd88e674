"""Who may see golden paths, and who may walk them."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

PATH_READ = Permission("goldenpaths.path.read", "See golden paths", VIEWERS)
RUN_START = Permission("goldenpaths.run.start", "Create services from golden paths", DEVELOPERS)

PathReader = Annotated[Actor, requires(PATH_READ)]
RunStarter = Annotated[Actor, requires(RUN_START)]
