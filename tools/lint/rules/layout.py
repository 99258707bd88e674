"""The shape of a domain's folder."""

from collections.abc import Iterator

from tools.lint.framework import Problem, Rule, Source

# Packages and modules of roadbed that are not domains.
NOT_DOMAINS = frozenset(
    {"kit", "core", "api", "web", "mcp", "client", "cli", "testing", "migrations", "integrations", "app", "__version__"}
)
# `types` holds the words that tables and contract share, where the contract also offers verbs of the service.
MODULES = (
    "module", "contract", "types", "models", "schemas", "repository", "rules", "service", "access", "errors", "api",
    "web", "tools", "workflows",
)  # fmt: skip


class DomainFiles(Rule):
    """Files in a domain under names that other domains do not use."""

    name = "domain-files"
    code = "RB501"
    description = "a domain has the same file names as every other"

    def check(self, source: Source) -> Iterator[Problem]:
        parts = source.parts
        if len(parts) < 2 or parts[0] in NOT_DOMAINS:
            return
        name = parts[1].removesuffix(".py")
        if name not in (*MODULES, "__init__", "templates"):
            yield self.problem(
                source, 1, f"{parts[1]} is not a name of the design for {parts[0]}; there are {', '.join(MODULES)}"
            )
