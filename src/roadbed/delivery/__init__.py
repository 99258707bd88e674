"""How a commit becomes something that can be deployed.

Words: a *pipeline* is an entity whose *stages* call targets of a repository's own Makefile. A *pipeline run* is a run
of it for one commit. A stage leaves *reports* behind: test results, coverage, checks, an SBOM.
"""
