"""Finding out by trying which isolation this machine offers: kernels, containers and profiles differ too much."""

import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from roadbed.core.sandbox.arguments import Placement, build_arguments
from roadbed.core.sandbox.isolation import Isolation, Mechanism, UidRange, isolation_candidates
from roadbed.core.sandbox.spec import SandboxSpec

_PROBE_SECONDS = 10


def detect_isolation(uids: UidRange | None = None, *, wanted: Mechanism | None = None) -> Isolation:
    """Return the strongest isolation that works here.

    Args:
        uids: accounts for sandboxes, used when the server is root.
        wanted: take this mechanism or none, for tests and for finding faults.
    """
    candidates, problems = isolation_candidates(uids or UidRange())
    if wanted is not None:
        candidates = [candidate for candidate in candidates if candidate.mechanism is wanted]
    for candidate in candidates:
        problem = _try(candidate)
        if not problem:
            return replace(candidate, reason="; ".join(problems))
        problems.append(f"{candidate.mechanism.value} does not work here ({problem})")
    return Isolation(Mechanism.NONE, "; ".join(problems) or "nothing that isolates was asked for")


def _try(candidate: Isolation) -> str:
    """Run `true` in a sandbox; return what went wrong, or an empty string."""
    with tempfile.TemporaryDirectory(prefix="roadbed-probe-") as folder:
        workspace, temporary = Path(folder).resolve() / "workspace", Path(folder).resolve() / "temporary"
        temporary.mkdir()
        workspace.mkdir()
        Path(folder).chmod(0o755)
        placement = Placement(candidate, candidate.uids.first, temporary)
        arguments = build_arguments(["true"], spec=SandboxSpec(workspace), placement=placement)
        try:
            done = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
                env={"PATH": os.defpath},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode == 0:
        return ""
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
