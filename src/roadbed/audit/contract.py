"""What other domains may use of the audit record."""

from roadbed.audit.service import record

__all__ = ["record"]
