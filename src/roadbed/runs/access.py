"""Who may see and steer runs."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

RUN_READ = Permission("runs.run.read", "See runs and their logs", VIEWERS)
RUN_CONTROL = Permission("runs.run.control", "Cancel and retry runs", DEVELOPERS)

RunReader = Annotated[Actor, requires(RUN_READ)]
RunController = Annotated[Actor, requires(RUN_CONTROL)]
