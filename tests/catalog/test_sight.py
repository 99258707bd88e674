"""Roles that narrow the catalog: what conditions mean, and that nothing of what is hidden comes out by any way."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from roadbed.catalog.rules.index.conditions import EVERYTHING, NOTHING, AllOf, AnyOf, HasKey, HasPrefix, HasValue, Not
from roadbed.catalog.rules.index.entries import OWNER, SYSTEM
from roadbed.catalog.rules.sight import Subject, check, translate
from roadbed.core.expressions import ExpressionInvalid
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from tests.catalog.conftest import component, group
from tests.support import RunningServer

ADA = Subject("user:default/ada", ("group:default/web", "group:default/all"))
YAML = {"content-type": "application/yaml"}


@pytest.mark.parametrize(
    ("source", "meaning"),
    [
        ("true", EVERYTHING),
        ("false", NOTHING),
        ("owner in subject.groups", HasValue(OWNER, ("group:default/web", "group:default/all"))),
        ("owner == subject.ref", HasValue(OWNER, ("user:default/ada",))),
        ("'Group:Default/Web' == owner", HasValue(OWNER, ("group:default/web",))),
        ("system != 'system:default/shop'", Not(HasValue(SYSTEM, ("system:default/shop",)))),
        ('kind in ["Component", "API"]', HasValue("kind", ("component", "api"))),
        ('"Pci" in metadata.tags', HasValue("metadata.tags", ("pci",))),
        ('metadata.labels["example.org/Tier"] == "1"', HasValue("metadata.labels.example.org/tier", ("1",))),
        ("spec.replicas == 3 || spec.isPublic == true", AnyOf((
            HasValue("spec.replicas", ("3",)), HasValue("spec.ispublic", ("true",)))),
        ),
        ("has(spec.lifecycle) && !metadata.name.startsWith('Test-')", AllOf((
            HasKey("spec.lifecycle"), Not(HasPrefix("metadata.name", "test-")))),
        ),
        ("kind in []", NOTHING),
    ],
)  # fmt: skip
def test_condition_means(source: str, meaning: Any) -> None:
    assert translate(source, ADA) == meaning


def test_who_has_no_entity_owns_nothing() -> None:
    assert translate("owner == subject.ref || owner in subject.groups", Subject()) == AnyOf((NOTHING, NOTHING))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("size(metadata.tags) > 2", "size(metadata.tags) > 2 is more than the catalog can answer"),
        ("metadata.tags.exists(t, t == 'pci')", "metadata.tags.exists(t, t == 'pci') is more"),
        ("kind == owner", "owner is more"),
        ("kind == null", "null is more"),
        ("metadata == spec", "is more"),
        ("owner in metadata.tags", "is more"),
        ("subject.groups == []", "is more"),
        ("spec.isPublic", "spec.isPublic is more"),
        ("metadata.name.startsWith(kind)", "kind is more"),
        ("owner ==", "the end"),
        ("ownr == 'x'", "ownr"),
        ("owner", "bool"),
    ],
)
def test_condition_that_lists_cannot_answer_is_refused_with_its_place(source: str, words: str) -> None:
    with pytest.raises(ExpressionInvalid) as refused:
        check(source)
    assert words in f"{refused.value.message} {refused.value.hint}"
    assert "line 1, column" in refused.value.message


@pytest.fixture(scope="module")
def narrow(server: RunningServer, api: httpx.Client) -> Iterator[httpx.Client]:
    """Somebody in the group sight-web, who sees what that group owns and what is public."""
    head = "---\napiVersion: backstage.io/v1alpha1\nkind: User\n"
    person = f"{head}metadata: {{name: sight-ada}}\nspec: {{memberOf: [sight-web]}}\n"
    public = component("sight-public").replace("metadata:\n", "metadata:\n  namespace: public\n")
    documents = [
        group("sight-web"),
        person,
        component("sight-own", owner="sight-web", dependsOn="[component:sight-secret]"),
        component("sight-secret", owner="sight-other", type="sight-hidden-type"),
        public,
    ]
    assert api.post("/api/v1/entities", content="".join(documents), headers=YAML).status_code == 200
    role = {
        "permissions": ["catalog.*"],
        "conditions": {"catalog.entity.read": 'owner in subject.groups || metadata.namespace == "public"'},
    }
    assert api.put("/api/v1/roles/sight", json=role).status_code in (200, 201)
    account = {
        "name": f"sight-{new_id()}", "kind": "service", "roles": ["sight"], "entity_ref": "user:default/sight-ada"
    }  # fmt: skip
    made = api.post("/api/v1/accounts", json=account)
    assert made.status_code == 201, made.text
    token = api.post("/api/v1/tokens", json={"name": "sight", "account": account["name"]})
    assert token.status_code == 201, token.text
    yield server.client(token.json()["value"])
    for ref in ("component/default/sight-own", "component/default/sight-secret", "component/public/sight-public"):
        api.delete(f"/api/v1/entities/{ref}")


def test_lists_counts_and_facets_hold_what_is_seen(narrow: httpx.Client, api: httpx.Client) -> None:
    wanted = ["component:default/sight-own", "component:public/sight-public"]
    listed = narrow.get("/api/v1/entities", params={"q": "sight-"}).json()
    assert sorted(item["ref"] for item in listed["items"]) == wanted
    assert listed["total"] == 2
    assert api.get("/api/v1/entities", params={"q": "sight-", "kind": "component"}).json()["total"] == 3
    query: dict[str, str | int] = {"filter": "kind=component", "limit": 1, "orderField": "metadata.name,asc"}
    found: list[str] = []
    while query:
        page = narrow.get("/api/catalog/entities/by-query", params=query).json()
        assert page["totalItems"] == 2
        found += [item["metadata"]["name"] for item in page["items"]]
        query = {"cursor": cursor} if (cursor := page["pageInfo"].get("nextCursor")) else {}
    assert found == ["sight-own", "sight-public"]
    facets = narrow.get("/api/catalog/entity-facets", params={"facet": ["kind", "spec.type"]}).json()["facets"]
    assert facets["kind"] == [{"value": "Component", "count": 2}]
    assert [one["value"] for one in facets["spec.type"]] == ["service"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/entities/component/default/sight-secret", None),
        ("GET", "/api/v1/entities/component/default/sight-secret/history", None),
        ("GET", "/api/v1/entities/component/default/sight-secret/graph", None),
        ("GET", "/api/v1/entities/component/default/sight-secret/impact", None),
        ("GET", "/api/v1/entities/component/default/sight-secret?as_of=NOW", None),
        ("DELETE", "/api/v1/entities/component/default/sight-secret", None),
        ("GET", "/api/catalog/entities/by-name/component/default/sight-secret", None),
        ("GET", "/api/catalog/entities/by-name/component/default/sight-secret/ancestry", None),
        ("GET", "/catalog/component/default/sight-secret", None),
        ("GET", "/catalog/component/default/sight-secret/history", None),
        ("GET", "/catalog/component/default/sight-secret/source", None),
        ("GET", "/catalog/component/default/sight-secret/dependencies", None),
        ("GET", "/catalog/component/default/sight-secret/edit", None),
    ],
)
def test_hidden_entity_is_answered_as_one_that_is_not_there(
    narrow: httpx.Client, method: str, path: str, body: dict[str, Any] | None
) -> None:
    path = path.replace("NOW", f"{now():%Y-%m-%dT%H:%M:%S.%fZ}")
    answer = narrow.request(method, path, json=body)
    assert answer.status_code == 404, answer.text
    absent = narrow.request(method, path.replace("sight-secret", "sight-absent"), json=body)
    assert absent.status_code == 404
    assert "sight-hidden-type" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entities?limit=500",
        "/api/v1/entities?q=sight&as_of=NOW",
        "/api/v1/entities/export?format=ndjson&q=sight",
        "/api/v1/entities/export?format=csv",
        "/api/catalog/entities",
        "/api/catalog/entities?filter=kind=component&offset=0&limit=500",
        "/api/catalog/entities/by-query?fullTextFilterTerm=sight-secret",
        "/api/catalog/entity-facets?facet=metadata.name",
        "/api/v1/search?q=sight-secret",
        "/api/v1/search?q=sihgt-secrte",
        "/catalog?q=sight",
        "/search?q=sihgt-secrte",
        "/catalog/stale",
        "/catalog/unowned?limit=200",
        "/",
    ],
)
def test_no_list_names_what_is_hidden(narrow: httpx.Client, path: str) -> None:
    path = path.replace("NOW", f"{now():%Y-%m-%dT%H:%M:%S.%fZ}")
    answer = narrow.get(path, headers={"accept": "text/html"} if not path.startswith("/api") else {})
    assert answer.status_code == 200, answer.text
    assert "sight-hidden-type" not in answer.text
    assert "sight-secret</" not in answer.text
    assert '"name":"sight-secret"' not in answer.text.replace(" ", "")


def test_by_refs_gives_null_and_relations_keep_the_ref(narrow: httpx.Client) -> None:
    refs = ["component:default/sight-own", "component:default/sight-secret"]
    own, hidden = narrow.post("/api/catalog/entities/by-refs", json={"entityRefs": refs}).json()["items"]
    assert hidden is None
    assert {"type": "dependsOn", "targetRef": refs[1]} in own["relations"]
    graph = narrow.get("/api/v1/entities/component/default/sight-own/graph").json()
    (node,) = [node for node in graph["nodes"] if node["ref"] == refs[1]]
    assert (node["found"], node["title"], node["type"]) == (False, "component:sight-secret", None)


def test_putting_on_a_hidden_entity_and_mirroring_are_refused(narrow: httpx.Client) -> None:
    taken = narrow.post("/api/v1/entities", content=component("sight-secret", owner="sight-web"), headers=YAML)
    assert (taken.status_code, taken.json()["code"]) == (403, "catalog.entity_hidden")
    feed = narrow.get("/api/v1/entities/changes")
    assert (feed.status_code, feed.json()["code"]) == (403, "catalog.narrowed")


def test_role_with_another_condition_is_refused_and_nobody_widens_their_own(
    narrow: httpx.Client, server: RunningServer, api: httpx.Client
) -> None:
    wrong = {"permissions": ["catalog.entity.read"], "conditions": {"catalog.entity.read": "size(kind) > 3"}}
    refused = api.put("/api/v1/roles/sight-wrong", json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "identity.invalid_role")
    assert "more than the catalog can answer" in refused.text
    other = {"permissions": ["audit.*"], "conditions": {"audit.entry.read": "true"}}
    assert "cannot be narrowed" in api.put("/api/v1/roles/sight-wrong", json=other).text
    missing = {"permissions": ["audit.*"], "conditions": {"catalog.entity.read": "true"}}
    assert "does not give" in api.put("/api/v1/roles/sight-wrong", json=missing).text
    limited = {
        "permissions": ["catalog.entity.read", "identity.role.write"],
        "conditions": {"catalog.entity.read": "kind == 'API'"},
    }
    assert api.put("/api/v1/roles/sight-limited", json=limited).status_code in (200, 201)
    client = server.client_as("sight-limited")
    widened = client.put("/api/v1/roles/sight-wide", json={"permissions": ["catalog.entity.read"]})
    assert (widened.status_code, widened.json()["code"]) == (403, "identity.beyond_own")
    same = {"permissions": ["catalog.entity.read"], "conditions": limited["conditions"]}
    assert client.put("/api/v1/roles/sight-same", json=same).status_code == 201
    kept = api.put("/api/v1/roles/sight-same", json={"permissions": ["catalog.entity.read"]}).json()
    assert kept["conditions"] == limited["conditions"]
