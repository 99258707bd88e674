"""Environments: where the workloads of an application run, what was deployed there, and how it is with them.

Words: an *application* is a System, or a Component without one. A *deployment set* is the immutable description of all
that runs in an environment; its id is the hash of its content. A *deployment* is a run that makes an environment equal
to a set. An *instance* is one process of a workload, started by one deployment; a workload has one active instance.
"""
