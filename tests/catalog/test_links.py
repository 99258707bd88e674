"""Links that known annotations imply: the table, what hostile values become, the page and the API."""

import re
from importlib.resources import files
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadbed.catalog.rules.links.making import FORMS, imply_links
from roadbed.catalog.rules.links.table import RULES
from roadbed.core.setting_links import LinkSettings
from roadbed.core.settings import CatalogSettings, InvalidSettings, Settings, load_settings
from tests.catalog.conftest import Place, component
from tests.support import RunningServer

BASES = {name: f"https://{name.replace('_', '-')}.test" for name in LinkSettings.model_fields}

CASES = [
    ({"github.com/project-slug": "acme/orders"}, "https://github.test/acme/orders"),
    ({"github.com/team-slug": "acme/checkout"}, "https://github.test/orgs/acme/teams/checkout"),
    ({"github.com/user-login": "ada"}, "https://github.test/ada"),
    ({"gitlab.com/project-slug": "acme/shop/orders"}, "https://gitlab.test/acme/shop/orders"),
    (
        {"gitlab.com/project-slug": "acme/orders", "gitlab.com/instance": "git.acme.test"},
        "https://git.acme.test/acme/orders",
    ),
    ({"gitlab.com/project-id": "4711"}, "https://gitlab.test/projects/4711"),
    ({"bitbucket.com/project-slug": "SHOP/orders"}, "https://bitbucket.test/projects/SHOP/repos/orders"),
    ({"bitbucket.org/project-slug": "SHOP/orders"}, "https://bitbucket.test/projects/SHOP/repos/orders"),
    ({"dev.azure.com/project-repo": "My Shop/orders"}, "https://azure-devops.test/My%20Shop/_git/orders"),
    (
        {"dev.azure.com/project-repo": "shop/orders", "dev.azure.com/host-org": "dev.azure.com/acme"},
        "https://dev.azure.com/acme/shop/_git/orders",
    ),
    ({"circleci.com/project-slug": "github/acme/orders"}, "https://circleci.test/pipelines/github/acme/orders"),
    ({"jenkins.io/job-full-name": "shop/orders"}, "https://jenkins.test/job/shop/job/orders"),
    ({"jenkins.io/job-full-name": "default:shop/orders"}, "https://jenkins.test/job/shop/job/orders"),
    ({"jenkins.io/github-folder": "shop/orders"}, "https://jenkins.test/job/shop/job/orders"),
    ({"gocd.org/pipelines": "orders"}, "https://gocd.test/go/pipeline/activity/orders"),
    ({"buildkite.com/project-slug": "acme/orders"}, "https://buildkite.com/acme/orders"),
    ({"travis-ci.com/repo-slug": "acme/orders"}, "https://app.travis-ci.com/github/acme/orders"),
    (
        {"google.com/cloudbuild-project-slug": "acme-1"},
        "https://console.cloud.google.com/cloud-build/builds?project=acme-1",
    ),
    ({"quay.io/repository-slug": "acme/orders"}, "https://quay.io/repository/acme/orders"),
    ({"argocd/app-name": "orders"}, "https://argocd.test/applications/orders"),
    ({"argocd/app-name": "orders", "argocd/app-namespace": "cd"}, "https://argocd.test/applications/cd/orders"),
    ({"argocd/app-selector": "app=orders"}, "https://argocd.test/applications?labels=app%3Dorders"),
    ({"argocd/project-name": "shop"}, "https://argocd.test/applications?proj=shop"),
    ({"backstage.io/kubernetes-id": "orders"}, "https://kubernetes.test/#/search?namespace=_all&q=orders"),
    (
        {"backstage.io/kubernetes-id": "orders", "backstage.io/kubernetes-namespace": "shop"},
        "https://kubernetes.test/#/workloads?namespace=shop",
    ),
    (
        {"backstage.io/kubernetes-label-selector": "app=orders", "backstage.io/kubernetes-namespace": "shop"},
        "https://kubernetes.test/#/workloads?namespace=shop",
    ),
    ({"grafana/overview-dashboard": "https://g.test/d/x?var=[a]"}, "https://g.test/d/x?var=[a]"),
    ({"grafana/dashboard-selector": "orders"}, "https://grafana.test/dashboards?tag=orders"),
    ({"grafana/dashboard-selector": "tags @> 'orders db'"}, "https://grafana.test/dashboards?tag=orders%20db"),
    ({"grafana/dashboard-selector": "tags @> 'a' || tags @> 'b'"}, "https://grafana.test/dashboards"),
    ({"grafana/tag-selector": "orders"}, "https://grafana.test/dashboards?tag=orders"),
    (
        {"grafana/alert-label-selector": "service=orders"},
        "https://grafana.test/alerting/list?search=label%3Aservice%3Dorders",
    ),
    ({"datadoghq.com/dashboard-url": "https://app.datadoghq.eu/d/1"}, "https://app.datadoghq.eu/d/1"),
    ({"newrelic.com/dashboard-guid": "Mjg0|x=="}, "https://one.newrelic.com/redirect/entity/Mjg0%7Cx%3D%3D"),
    ({"lighthouse.com/website-url": "http://shop.test/"}, "http://shop.test/"),
    ({"pagerduty.com/service-id": "P1234AB"}, "https://pagerduty.test/service-directory/P1234AB"),
    (
        {"opsgenie.com/component-selector": 'tag:"service:orders"'},
        "https://opsgenie.test/alert/list?query=tag%3A%22service%3Aorders%22",
    ),
    ({"sentry.io/project-slug": "orders"}, "https://sentry.test/projects/orders/"),
    ({"sentry.io/project-slug": "acme/orders"}, "https://sentry.test/projects/orders/"),
    ({"rollbar.com/project-slug": "acme/orders"}, "https://rollbar.com/acme/orders"),
    (
        {"roadbed.dev/alerts": "https://prometheus.test/rules?search=orders"},
        "https://prometheus.test/rules?search=orders",
    ),
    ({"sonarqube.org/project-key": "acme:orders"}, "https://sonarqube.test/dashboard?id=acme%3Aorders"),
    ({"snyk.io/org-name": "acme"}, "https://snyk.test/org/acme/projects"),
    ({"snyk.io/org-name": "acme", "snyk.io/project-id": "a1"}, "https://snyk.test/org/acme/project/a1"),
    ({"jira/project-key": "SHOP"}, "https://jira.test/browse/SHOP"),
    ({"jira.com/project-key": "SHOP"}, "https://jira.test/browse/SHOP"),
    (
        {"jira/project-key": "SHOP", "jira/component": "Order desk"},
        "https://jira.test/issues/?jql=project%20%3D%20SHOP%20AND%20component%20%3D%20%22Order%20desk%22",
    ),
    (
        {"jira/project-key": "SHOP", "jira/label": "orders"},
        "https://jira.test/issues/?jql=project%20%3D%20SHOP%20AND%20labels%20%3D%20%22orders%22",
    ),
]


@pytest.mark.parametrize(("annotations", "url"), CASES)
def test_annotation_becomes_a_link(annotations: dict[str, str], url: str) -> None:
    links = imply_links(annotations, BASES)
    assert [link.url for link in links.found] == [url]
    assert not links.missing


def test_every_rule_is_shown_by_a_case_and_every_setting_is_used() -> None:
    shown = {name for annotations, _ in CASES for name in annotations}
    assert {rule.annotation for rule in RULES} <= shown
    assert {rule.setting for rule in RULES} - {""} == set(LinkSettings.model_fields)
    assert all(("{base}" in rule.url) == bool(rule.setting) for rule in RULES)
    forms = {form for rule in RULES for form in re.findall(r"\{\w+:(\w+)\}", rule.url)}
    assert forms == set(FORMS) - {""}
    sprite = files("roadbed").joinpath("web/static/icons.svg").read_text()
    assert not [rule.icon for rule in RULES if f'id="i-{rule.icon}"' not in sprite]


@pytest.mark.parametrize(
    ("annotations", "url"),
    [
        ({"github.com/project-slug": "acme/orders"}, "https://github.com/acme/orders"),
        ({"bitbucket.org/project-slug": "acme/orders"}, "https://bitbucket.org/acme/orders"),
        ({"sentry.io/project-slug": "acme/orders"}, "https://sentry.io/organizations/acme/projects/orders/"),
        ({"snyk.io/org-name": "acme"}, "https://app.snyk.io/org/acme/projects"),
        (
            {
                "github.com/project-slug": "acme/orders",
                "backstage.io/source-location": "url:https://github.acme.test/acme/orders/tree/main/",
            },
            "https://github.acme.test/acme/orders",
        ),
        (
            {
                "github.com/project-slug": "acme/orders",
                "backstage.io/source-location": "url:https://elsewhere.test/acme/orders-fork/tree/main/",
            },
            "https://github.com/acme/orders",
        ),
    ],
)
def test_what_vendors_host_needs_no_setting(annotations: dict[str, str], url: str) -> None:
    assert [link.url for link in imply_links(annotations, {}).found] == [url]


@pytest.mark.parametrize(
    ("annotation", "setting"),
    [
        ("grafana/dashboard-selector", "grafana"),
        ("sonarqube.org/project-key", "sonarqube"),
        ("jira/project-key", "jira"),
        ("sentry.io/project-slug", "sentry"),
        ("pagerduty.com/service-id", "pagerduty"),
        ("backstage.io/kubernetes-id", "kubernetes"),
    ],
)
def test_without_its_setting_there_is_no_link_and_it_is_named(annotation: str, setting: str) -> None:
    links = imply_links({annotation: "ORDERS"}, {})
    assert not links.found
    assert [one.setting for one in links.missing] == [setting]


@pytest.mark.parametrize(
    "annotations",
    [
        {"grafana/overview-dashboard": "javascript:alert(1)"},
        {"grafana/overview-dashboard": "https://admin:secret@g.test/"},
        {"grafana/overview-dashboard": "https://g.test\\@evil.test/"},
        {"grafana/overview-dashboard": "//evil.test"},
        {"lighthouse.com/website-url": "data:text/html,x"},
        {"lighthouse.com/website-url": "https://[::1"},
        {"github.com/project-slug": "acme/.."},
        {"github.com/project-slug": "../admin"},
        {"github.com/project-slug": "acme/orders\nx"},
        {"gitlab.com/project-slug": "a/../../admin"},
        {"gitlab.com/project-slug": "a/b", "gitlab.com/instance": "evil.test/x#"},
        {"gitlab.com/project-slug": "a/b", "gitlab.com/instance": "user@evil.test"},
        {"jenkins.io/job-full-name": "../.."},
        {"jenkins.io/job-full-name": "eu:shop/orders"},
        {"argocd/app-name": ".."},
        {"argocd/app-name": "orders", "argocd/instance-name": "eu"},
        {"sonarqube.org/project-key": "eu/orders"},
        {"jira/project-key": 'X" OR 1=1'},
        {"pagerduty.com/service-id": "P1/../../admin"},
        {"buildkite.com/project-slug": "x" * 3000},
        {"rollbar.com/project-slug": " "},
    ],
)
def test_what_cannot_stand_in_an_address_is_no_link(annotations: dict[str, str]) -> None:
    assert not imply_links(annotations, BASES).found


def test_component_that_would_end_its_quotation_falls_back_to_the_project() -> None:
    annotations = {"jira/project-key": "SHOP", "jira/component": 'x" OR project = "HR'}
    assert [link.url for link in imply_links(annotations, BASES).found] == ["https://jira.test/browse/SHOP"]


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=60), st.sampled_from(sorted({rule.annotation for rule in RULES})))
def test_no_value_changes_where_a_link_leads(value: str, annotation: str) -> None:
    others = {name: value for rule in RULES for name in rule.also.values() if name != "gitlab.com/instance"}
    others.pop("dev.azure.com/host-org")
    allowed = {urlsplit(base).netloc for base in BASES.values()}
    allowed |= {urlsplit(rule.url).netloc for rule in RULES if rule.url.startswith("https://") and not rule.also}
    for link in imply_links({**others, annotation: value}, BASES).found:
        parts = urlsplit(link.url)
        assert parts.scheme in ("http", "https")
        assert link.url.isascii()
        assert not set(link.url) & set(' "<>\\^`{|}')
        assert parts.netloc in allowed or link.value.strip().lower().startswith(("http://", "https://"))
        assert not {".", ".."} & set(parts.path.split("/")) or link.value.strip().lower().startswith("http")


def test_link_that_the_entity_names_itself_is_told_once() -> None:
    annotations = {"github.com/project-slug": "acme/orders", "rollbar.com/project-slug": "acme/orders"}
    links = imply_links(annotations, {}, known=["https://github.com/acme/orders/"])
    assert [link.url for link in links.found] == ["https://rollbar.com/acme/orders"]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ROADBED_CATALOG__LINKS__GRAFANA", "grafana.example.com", "the address of a website"),
        ("ROADBED_CATALOG__LINKS__GRAFANA", "javascript:alert(1)", "the address of a website"),
        ("ROADBED_CATALOG__LINKS__JIRA", "https://me:pw@jira.example.com", "the address of a website"),
        ("ROADBED_CATALOG__LINKS__GRAFNA", "https://g.test", "did you mean ROADBED_CATALOG__LINKS__GRAFANA?"),
    ],
)
def test_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert refused.value.problems[0].startswith(f"{variable}: ")
    assert reason in refused.value.problems[0]


ANNOTATED = """metadata:
  annotations:
    grafana/dashboard-selector: shown-<b>links</b>
    sonarqube.org/project-key: shown-links
    rollbar.com/project-slug: acme/shown
    grafana/overview-dashboard: "javascript:alert(1)"
"""


@pytest.fixture
def grafana(server: RunningServer) -> object:
    """The shared server knows a Grafana, and no SonarQube, while a test runs."""
    before = server.services.get(Settings)
    links = LinkSettings(grafana="https://grafana.test/team")
    server.services.replace(Settings, before.model_copy(update={"catalog": CatalogSettings(links=links)}))
    yield
    server.services.replace(Settings, before)


@pytest.mark.usefixtures("grafana")
def test_page_and_api_show_links_and_tell_platform_engineers_what_is_missing(place: Place, client_of: object) -> None:
    place.write(a=component("shown-links").replace("metadata:\n", ANNOTATED))
    place.register()
    assert callable(client_of)
    engineer, viewer = client_of("platform-engineer"), client_of("viewer")
    pages = [_page(client) for client in (engineer, viewer)]
    for text in pages:
        assert 'href="https://grafana.test/team/dashboards"' in text
        assert "shown-&lt;b&gt;links&lt;/b&gt;" in text
        assert 'href="https://rollbar.com/acme/shown"' in text
        assert 'href="javascript:' not in text
    assert ["catalog.links.sonarqube" in text for text in pages] == [True, False]
    answers = [client.get("/api/v1/entities/component/default/shown-links").json() for client in (engineer, viewer)]
    for answer in answers:
        assert [(link["annotation"], link["url"]) for link in answer["implied_links"]] == [
            ("grafana/dashboard-selector", "https://grafana.test/team/dashboards"),
            ("rollbar.com/project-slug", "https://rollbar.com/acme/shown"),
        ]
    assert [[one["setting"] for one in answer["missing_links"]] for answer in answers] == [["sonarqube"], []]


def _page(client: httpx.Client) -> str:
    answer = client.get("/catalog/component/default/shown-links", headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text
