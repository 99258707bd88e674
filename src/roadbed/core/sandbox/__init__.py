"""Running commands that Roadbed does not trust: pipelines, workloads, docs builds, template commands.

Words: an *isolation mechanism* is what keeps such a command from the server's files and memory; a *claim* gives a
workspace to one account for as long as commands run in it; a *workload* is a command that outlives the server.
"""

from roadbed.core.sandbox.detection import detect_isolation
from roadbed.core.sandbox.interpreter import Interpreter, find_interpreter, is_reachable
from roadbed.core.sandbox.isolation import Isolation, Mechanism, UidRange
from roadbed.core.sandbox.processes import ProcessIdentity
from roadbed.core.sandbox.runner import MarkedProcess, Sandbox, Workload
from roadbed.core.sandbox.spec import Limits, Outcome, SandboxFailed, SandboxSpec
from roadbed.core.sandbox.workspaces import find_file, remove_tree, temporary_of

__all__ = [
    "Interpreter",
    "Isolation",
    "Limits",
    "MarkedProcess",
    "Mechanism",
    "Outcome",
    "ProcessIdentity",
    "Sandbox",
    "SandboxFailed",
    "SandboxSpec",
    "UidRange",
    "Workload",
    "detect_isolation",
    "find_file",
    "find_interpreter",
    "is_reachable",
    "remove_tree",
    "temporary_of",
]
