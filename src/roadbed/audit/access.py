"""Who may read the audit record."""

from typing import Annotated

from roadbed.core.access import ADMINS, Permission, requires
from roadbed.core.actor import Actor

AUDIT_READ = Permission("audit.entry.read", "Read the audit record", ADMINS)

AuditReader = Annotated[Actor, requires(AUDIT_READ)]
