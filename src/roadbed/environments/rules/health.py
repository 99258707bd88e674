"""How it is with a workload, from what is seen of it."""

from roadbed.catalog.contract import Health

FAILURES_UNTIL_DEGRADED = 2


def judge(*, is_up: bool, is_answering: bool, failures: int) -> Health:
    """Return the health of a workload.

    Args:
        is_up: its process runs.
        is_answering: the last probe succeeded, or there is none.
        failures: probes in a row that failed.
    """
    if not is_up:
        return Health.FAILING
    if is_answering or failures < FAILURES_UNTIL_DEGRADED:
        return Health.HEALTHY
    return Health.DEGRADED
