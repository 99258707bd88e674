"""Asking a workload how it is."""

import asyncio
import time

from roadbed.core.loopback import Loopback, LoopbackFailed, LoopbackRequest
from roadbed.environments.types import Probe

PROBE_SECONDS = 2.0


async def ask(loopback: Loopback, *, port: int, host: str, probe: Probe) -> tuple[bool, str]:
    """Send a probe; return whether it was answered well, and what happened in words: `GET /readyz answered 503`."""
    headers = [(b"Host", host.encode()), (b"User-Agent", b"Roadbed probe"), (b"Connection", b"close")]
    headers += [(name.encode(), value.encode()) for name, value in probe.headers.items() if name.lower() != "host"]
    request = LoopbackRequest(port, probe.path.encode(), headers=headers)
    began = time.monotonic()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            answer = await loopback.send(request, timeout_seconds=PROBE_SECONDS)
            await answer.close()
    except LoopbackFailed:
        return False, f"GET {probe.path} got no answer"
    except TimeoutError:
        return False, f"GET {probe.path} took more than {PROBE_SECONDS:.0f} s"
    milliseconds = (time.monotonic() - began) * 1000
    return 200 <= answer.status < 400, f"GET {probe.path} answered {answer.status} in {milliseconds:.0f} ms"


async def is_listening(port: int) -> tuple[bool, str]:
    """Tell whether somebody accepts connections on a port, for workloads without a probe."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False, f"nothing listens on its port {port}"
    writer.close()
    return True, f"it listens on its port {port}"
