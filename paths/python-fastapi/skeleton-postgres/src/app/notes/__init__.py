"""Notes, the service's first resource. Copy this package's shape for the next one."""
