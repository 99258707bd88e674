"""Who may see which secrets exist, and who may change them. Nobody reads a value back over any surface."""

from typing import Annotated

from roadbed.core.access import PLATFORM, Permission, requires
from roadbed.core.actor import Actor

SECRET_READ = Permission("secrets.secret.read", "See which secrets exist, without their values", PLATFORM)
SECRET_WRITE = Permission("secrets.secret.write", "Put and delete secrets", PLATFORM)

SecretReader = Annotated[Actor, requires(SECRET_READ)]
SecretWriter = Annotated[Actor, requires(SECRET_WRITE)]
