"""A made-up catalog of any size, always the same: files in Backstage's format, as the benchmark of its peers has them.

60 % Component, 15 % API, 10 % Resource, 5 % System, 1 % Domain, 5 % User, 4 % Group; every reference points at an
entity that exists. The order of random draws is a part of the format: changing it makes another catalog.
"""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

WORDS = [
    "payments",
    "ledger",
    "invoice",
    "checkout",
    "cart",
    "catalog",
    "inventory",
    "shipping",
    "returns",
    "refund",
    "identity",
    "session",
    "profile",
    "consent",
    "fraud",
    "risk",
    "scoring",
    "pricing",
    "promo",
    "coupon",
    "loyalty",
    "search",
    "ranking",
    "recommend",
    "feed",
    "timeline",
    "notify",
    "mailer",
    "push",
    "webhook",
    "gateway",
    "proxy",
    "router",
    "cache",
    "queue",
    "stream",
    "batch",
    "export",
    "import",
    "report",
    "metrics",
    "tracing",
    "audit",
    "policy",
    "vault",
    "secrets",
    "billing",
    "quota",
    "tenant",
    "onboarding",
    "support",
    "ticket",
    "chat",
    "video",
    "media",
    "image",
    "render",
    "template",
    "document",
    "archive",
    "backup",
    "restore",
    "scheduler",
    "worker",
    "geo",
    "maps",
    "weather",
    "device",
    "telemetry",
    "firmware",
    "sensor",
    "energy",
    "charger",
    "fleet",
    "driver",
    "rider",
    "trip",
    "route",
]
TAGS = [
    "java",
    "go",
    "python",
    "typescript",
    "rust",
    "kotlin",
    "react",
    "grpc",
    "rest",
    "graphql",
    "kafka",
    "postgres",
    "redis",
    "s3",
    "internal",
    "external",
    "critical",
    "tier-1",
    "tier-2",
    "tier-3",
    "pci",
    "gdpr",
    "sox",
    "ml",
    "data",
    "batch",
    "streaming",
    "legacy",
    "greenfield",
    "deprecated",
    "mobile",
    "web",
    "edge",
    "core",
    "platform",
    "infra",
    "security",
    "observability",
    "billing",
    "growth",
]
COMPONENT_TYPES = (("service", 55), ("library", 20), ("website", 15), ("data-pipeline", 10))
LIFECYCLES = (("production", 70), ("experimental", 20), ("deprecated", 10))
API_TYPES = (("openapi", 70), ("grpc", 15), ("asyncapi", 10), ("graphql", 5))
RESOURCE_TYPES = (("database", 45), ("s3-bucket", 25), ("kafka-topic", 20), ("kubernetes-cluster", 10))
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")
SEED = 42
PER_FILE = 100


@dataclass
class Made:
    """What was made: names by kind, and where the Location of all files is."""

    root: Path
    names: dict[str, list[str]] = field(default_factory=dict)


class Maker:
    """Draws one catalog."""

    def __init__(self, count: int) -> None:
        self.random = random.Random(SEED)
        shares = {"Group": 4, "User": 5, "Domain": 1, "System": 5, "API": 15, "Resource": 10}
        sizes = {kind: max(1, count * share // 100) for kind, share in shares.items()}
        sizes["API"], sizes["Resource"] = count * 15 // 100, count * 10 // 100
        sizes["Component"] = count - sum(sizes.values())
        prefixes = {
            "Group": "team", "User": "user", "Domain": "dom", "System": "sys", "API": "api", "Resource": "res",
            "Component": "cmp",
        }  # fmt: skip
        self.names = {kind: self._names(prefixes[kind], sizes[kind]) for kind in prefixes}

    def documents(self) -> list[str]:
        """Return all entities as YAML, shuffled."""
        documents = [*self._people(), *self._systems(), *self._apis(), *self._components()]
        self.random.shuffle(documents)
        return documents

    def _names(self, prefix: str, count: int) -> list[str]:
        choice = self.random.choice
        return [f"{prefix}-{choice(WORDS)}-{choice(WORDS)}-{number:05d}" for number in range(count)]

    def _pick(self, weighted: tuple[tuple[str, int], ...]) -> str:
        return self.random.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]

    def _head(self, kind: str, name: str) -> str:
        tags = sorted(set(self.random.sample(TAGS, self.random.randint(1, 4))))
        title = json.dumps(" ".join(word.capitalize() for word in name.split("-")[:-1]))
        description = json.dumps(self._description())
        tier, center = self.random.randint(1, 4), self.random.randint(1, 60)
        region, pager = self.random.choice(REGIONS), self.random.randrange(16**6)
        rule = json.dumps(f'up{{job="{name}"}}')
        return (
            f"apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n  title: {title}\n"
            f'  description: {description}\n  labels:\n    example.org/tier: "{tier}"\n'
            f'    example.org/cost-center: "cc-{center:03d}"\n    example.org/region: {region}\n  annotations:\n'
            f"    github.com/project-slug: acme/{name}\n    backstage.io/techdocs-ref: dir:.\n"
            f"    pagerduty.com/service-id: P{pager:06X}\n    sonarqube.org/project-key: acme_{name}\n"
            f"    prometheus.io/rule: {rule}\n  tags: [{', '.join(tags)}]\n  links:\n"
            f"    - url: https://dash.example.org/d/{name}\n      title: Dashboard\n      icon: dashboard\n"
            f"    - url: https://runbooks.example.org/{name}\n      title: Runbook\nspec:"
        )

    def _description(self) -> str:
        choice = self.random.choice
        return "The {} {} {} for the {} team: handles {}, {} and {} with {} guarantees.".format(
            choice(["reliable", "regional", "shared", "legacy", "realtime", "batch"]),
            choice(WORDS),
            choice(["service", "module", "component", "store", "interface"]),
            *(choice(WORDS) for _ in range(4)),
            choice(["ordering", "latency", "durability", "idempotency", "consistency"]),
        )

    def _owner(self) -> str:
        return f"\n  owner: group:default/{self.random.choice(self.names['Group'])}"

    def _system(self) -> str:
        return f"\n  system: {self.random.choice(self.names['System'])}"

    def _profile(self, name: str) -> str:
        return f'\n  profile: {{displayName: "{name}", email: {name}@example.org}}'

    def _people(self) -> list[str]:
        groups = self.names["Group"]
        found = []
        for number, name in enumerate(groups):
            kind = "business-unit" if number < 5 else "team"
            text = f"{self._head('Group', name)}\n  type: {kind}{self._profile(name)}"
            found.append(text + (f"\n  parent: {groups[(number - 1) // 5]}" if number else "") + "\n  children: []")
        for name in self.names["User"]:
            memberships = self.random.sample(groups, min(len(groups), self.random.randint(1, 3)))
            found.append(self._head("User", name) + self._profile(name) + _list("memberOf", memberships))
        return found

    def _systems(self) -> list[str]:
        found = [self._head("Domain", name) + self._owner() for name in self.names["Domain"]]
        for name in self.names["System"]:
            domain = self.random.choice(self.names["Domain"])
            found.append(f"{self._head('System', name)}{self._owner()}\n  domain: {domain}")
        for name in self.names["Resource"]:
            head = self._head("Resource", name)
            found.append(f"{head}\n  type: {self._pick(RESOURCE_TYPES)}{self._owner()}{self._system()}")
        return found

    def _apis(self) -> list[str]:
        found = []
        for name in self.names["API"]:
            head = self._head("API", name)
            spec = f"\n  type: {self._pick(API_TYPES)}\n  lifecycle: {self._pick(LIFECYCLES)}"
            found.append(f"{head}{spec}{self._owner()}{self._system()}\n  definition: |\n{self._openapi(name)}")
        return found

    def _openapi(self, name: str) -> str:
        word, minor = self.random.choice(WORDS), self.random.randint(0, 9)
        return (
            f"    openapi: 3.0.3\n    info:\n      title: {name}\n      version: 1.{minor}.0\n    paths:\n"
            f"      /v1/{word}:\n        get:\n          operationId: list_{word}\n          parameters:\n"
            "            - {name: limit, in: query, schema: {type: integer, maximum: 100}}\n          responses:\n"
            f"            '200':\n              description: A page of {word}\n              content:\n"
            "                application/json:\n                  schema:\n                    type: array\n"
            "                    items: {$ref: '#/components/schemas/Item'}\n    components:\n      schemas:\n"
            "        Item:\n          type: object\n          properties:\n"
            "            id: {type: string, format: uuid}\n"
            "            name: {type: string}\n            createdAt: {type: string, format: date-time}"
        )

    def _components(self) -> list[str]:
        components, apis, resources = (self.names[kind] for kind in ("Component", "API", "Resource"))
        provided: dict[int, list[str]] = {}
        for name in apis:  # every API has one provider
            provided.setdefault(self.random.randrange(len(components)), []).append(name)
        found = []
        for number, name in enumerate(components):
            head = self._head("Component", name)
            kind = "service" if number == 0 else self._pick(COMPONENT_TYPES)
            text = f"{head}\n  type: {kind}\n  lifecycle: {self._pick(LIFECYCLES)}{self._owner()}{self._system()}"
            consumed = self.random.sample(apis, min(len(apis), self.random.choice([0, 1, 1, 2, 3])))
            count = min(len(resources), self.random.choice([0, 1, 1, 2]))
            needs = [f"resource:default/{target}" for target in self.random.sample(resources, count)]
            if number:
                needs += [
                    f"component:default/{components[self.random.randrange(number)]}"
                    for _ in range(self.random.choice([0, 1, 1, 2]))
                ]
            text += _list("providesApis", provided.get(number, [])) + _list("consumesApis", consumed)
            found.append(text + _list("dependsOn", list(dict.fromkeys(needs))))
        return found


def make(count: int, folder: Path) -> Made:
    """Write a catalog of `count` entities into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(count)
    documents = maker.documents()
    targets = []
    for start in range(0, len(documents), PER_FILE):
        name = f"entities-{start // PER_FILE:05d}.yaml"
        (folder / name).write_text("---\n" + "\n---\n".join(documents[start : start + PER_FILE]) + "\n")
        targets.append(f"    - ./{name}\n")
    root = folder / "root.yaml"
    root.write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: bench-root\n"
        "  description: root of the generated catalogue\nspec:\n  type: file\n  targets:\n" + "".join(targets)
    )
    return Made(root, maker.names)


def _list(key: str, values: list[str]) -> str:
    return f"\n  {key}: [{', '.join(values)}]" if values else ""
