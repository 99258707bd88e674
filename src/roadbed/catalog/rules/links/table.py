"""Which annotation leads where: those of Backstage and its plugins, by their own documentation.

Of the rules of one annotation the first that fits is taken. What an address is made of is percent-encoded by its place
(`making.FORMS`). Where an annotation names one of several installations there is no rule: each tool has one address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCE_LOCATION = "backstage.io/source-location"
_ANY = re.compile(r"(?P<value>.+)")
_OWNER_AND_NAME = re.compile(r"(?P<slug>[^/]+/[^/]+)")


@dataclass(frozen=True)
class LinkRule:
    """How an annotation becomes a link.

    Args:
        annotation: its key.
        title: for people: "Grafana dashboards".
        icon: name of a Tabler icon.
        url: with `{base}`, the groups of `pattern` and the names of `also`, each with its form: `{slug:path}`.
        pattern: what the whole value must be.
        setting: the setting of `[catalog.links]` that is the base.
        base: the base where that is not set; without one there is no link then.
        is_of_source: the server that the entity was read from is the base, before `base`, when it is of this value.
        also: name → another annotation that must be there.
        unless: annotations that must not be there.
    """

    annotation: str
    title: str
    icon: str
    url: str
    pattern: re.Pattern[str] = _ANY
    setting: str = ""
    base: str = ""
    is_of_source: bool = False
    also: Mapping[str, str] = field(default_factory=dict)
    unless: tuple[str, ...] = ()


def _argocd(annotation: str, title: str, url: str, **also: str) -> LinkRule:
    url = f"{{base}}/applications{url}"
    return LinkRule(annotation, title, "rocket", url, setting="argocd", also=also, unless=("argocd/instance-name",))


def _grafana(annotation: str, title: str, url: str, pattern: str = "(?P<value>.+)") -> LinkRule:
    return LinkRule(annotation, title, "chart-line", f"{{base}}/{url}", re.compile(pattern), setting="grafana")


def _jira(annotation: str, url: str, **also: str) -> LinkRule:
    pattern = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9_]*)")
    return LinkRule(annotation, "Jira issues", "ticket", f"{{base}}/{url}", pattern, setting="jira", also=also)


ALERTS = LinkRule("roadbed.dev/alerts", "Alert rules", "bell", "{value:address}", re.compile(r"(?P<value>https?://.+)"))

_SOURCE_HOSTS = (
    LinkRule(
        "github.com/project-slug",
        "GitHub repository",
        "brand-github",
        "{base}/{slug:path}",
        _OWNER_AND_NAME,
        setting="github",
        base="https://github.com",
        is_of_source=True,
    ),
    LinkRule(
        "github.com/team-slug",
        "GitHub team",
        "brand-github",
        "{base}/orgs/{org}/teams/{team}",
        re.compile(r"(?P<org>[^/]+)/(?P<team>[^/]+)"),
        setting="github",
        base="https://github.com",
    ),
    LinkRule(
        "github.com/user-login",
        "GitHub profile",
        "brand-github",
        "{base}/{value}",
        setting="github",
        base="https://github.com",
    ),
    LinkRule(
        "gitlab.com/project-slug",
        "GitLab project",
        "brand-gitlab",
        "https://{host:host}/{value:path}",
        also={"host": "gitlab.com/instance"},
    ),
    LinkRule(
        "gitlab.com/project-slug",
        "GitLab project",
        "brand-gitlab",
        "{base}/{value:path}",
        setting="gitlab",
        base="https://gitlab.com",
        is_of_source=True,
        unless=("gitlab.com/instance",),
    ),
    LinkRule(
        "gitlab.com/project-id",
        "GitLab project",
        "brand-gitlab",
        "{base}/projects/{value}",
        re.compile(r"(?P<value>\d+)"),
        setting="gitlab",
        base="https://gitlab.com",
        unless=("gitlab.com/instance", "gitlab.com/project-slug"),
    ),
    *(
        LinkRule(annotation, "Bitbucket repository", "brand-bitbucket", url, pattern, setting=setting)
        for annotation in ("bitbucket.com/project-slug", "bitbucket.org/project-slug")
        for pattern in (re.compile(r"(?P<project>[^/]+)/(?P<repository>[^/]+)"),)
        for url, setting in (
            ("{base}/projects/{project}/repos/{repository}", "bitbucket"),
            ("https://bitbucket.org/{project}/{repository}", ""),
        )
    ),
    LinkRule(
        "dev.azure.com/project-repo",
        "Azure DevOps repository",
        "brand-azure",
        "https://{place:place}/{project}/_git/{repository}",
        re.compile(r"(?P<project>[^/]+)/(?P<repository>[^/]+)"),
        also={"place": "dev.azure.com/host-org"},
    ),
    LinkRule(
        "dev.azure.com/project-repo",
        "Azure DevOps repository",
        "brand-azure",
        "{base}/{project}/_git/{repository}",
        re.compile(r"(?P<project>[^/]+)/(?P<repository>[^/]+)"),
        setting="azure_devops",
        unless=("dev.azure.com/host-org",),
    ),
)

_BUILDS = (
    LinkRule(
        "circleci.com/project-slug",
        "CircleCI pipelines",
        "player-play",
        "{base}/pipelines/{value:path}",
        setting="circleci",
        base="https://app.circleci.com",
    ),
    *(
        LinkRule(
            annotation,
            "Jenkins job",
            "player-play",
            "{base}/{job:jobs}",
            re.compile(r"(?:default:)?(?P<job>[^:]+)"),
            setting="jenkins",
        )
        for annotation in ("jenkins.io/job-full-name", "jenkins.io/github-folder")
    ),
    LinkRule(
        "gocd.org/pipelines",
        "GoCD pipeline",
        "player-play",
        "{base}/go/pipeline/activity/{value}",
        re.compile(r"(?P<value>[^,]+)"),
        setting="gocd",
    ),
    LinkRule(
        "buildkite.com/project-slug",
        "Buildkite pipeline",
        "player-play",
        "https://buildkite.com/{slug:path}",
        _OWNER_AND_NAME,
    ),
    LinkRule(
        "travis-ci.com/repo-slug",
        "Travis CI builds",
        "player-play",
        "https://app.travis-ci.com/github/{slug:path}",
        _OWNER_AND_NAME,
    ),
    LinkRule(
        "google.com/cloudbuild-project-slug",
        "Cloud Build",
        "player-play",
        "https://console.cloud.google.com/cloud-build/builds?project={value}",
    ),
    LinkRule(
        "quay.io/repository-slug", "Quay repository", "box", "https://quay.io/repository/{slug:path}", _OWNER_AND_NAME
    ),
    _argocd("argocd/app-name", "Argo CD application", "/{namespace}/{value}", namespace="argocd/app-namespace"),
    _argocd("argocd/app-name", "Argo CD application", "/{value}"),
    _argocd("argocd/app-selector", "Argo CD applications", "?labels={value}"),
    _argocd("argocd/project-name", "Argo CD project", "?proj={value}"),
)

_RUNNING = (
    LinkRule(
        "backstage.io/kubernetes-id",
        "Kubernetes workloads",
        "steering-wheel",
        "{base}/#/workloads?namespace={namespace}",
        setting="kubernetes",
        also={"namespace": "backstage.io/kubernetes-namespace"},
    ),
    LinkRule(
        "backstage.io/kubernetes-id",
        "Kubernetes objects",
        "steering-wheel",
        "{base}/#/search?namespace=_all&q={value}",
        setting="kubernetes",
    ),
    LinkRule(
        "backstage.io/kubernetes-label-selector",
        "Kubernetes workloads",
        "steering-wheel",
        "{base}/#/workloads?namespace={namespace}",
        setting="kubernetes",
        also={"namespace": "backstage.io/kubernetes-namespace"},
        unless=("backstage.io/kubernetes-id",),
    ),
    LinkRule("grafana/overview-dashboard", "Grafana overview", "chart-line", "{value:address}"),
    _grafana("grafana/dashboard-selector", "Grafana dashboards", "dashboards?tag={tag}", r"(?P<tag>[\w.:/-]+)"),
    _grafana(
        "grafana/dashboard-selector", "Grafana dashboards", "dashboards?tag={tag}", r"tags\s*@>\s*'(?P<tag>[^']+)'"
    ),
    _grafana("grafana/dashboard-selector", "Grafana dashboards", "dashboards"),
    _grafana("grafana/tag-selector", "Grafana dashboards", "dashboards?tag={value}"),
    _grafana(
        "grafana/alert-label-selector",
        "Grafana alerts",
        "alerting/list?search=label%3A{label}%3D{value}",
        r"(?P<label>[\w.-]+)=(?P<value>[^,]+)",
    ),
    LinkRule("datadoghq.com/dashboard-url", "Datadog dashboard", "chart-line", "{value:address}"),
    LinkRule(
        "newrelic.com/dashboard-guid",
        "New Relic dashboard",
        "chart-line",
        "https://one.newrelic.com/redirect/entity/{value}",
    ),
    LinkRule("lighthouse.com/website-url", "Website that Lighthouse audits", "world", "{value:address}"),
)

_CARE = (
    ALERTS,
    LinkRule(
        "pagerduty.com/service-id",
        "PagerDuty service",
        "bell",
        "{base}/service-directory/{value}",
        re.compile(r"(?P<value>[A-Za-z0-9]+)"),
        setting="pagerduty",
    ),
    LinkRule(
        "opsgenie.com/component-selector",
        "Opsgenie alerts",
        "bell",
        "{base}/alert/list?query={value}",
        setting="opsgenie",
    ),
    LinkRule(
        "sentry.io/project-slug",
        "Sentry issues",
        "bug",
        "{base}/projects/{project}/",
        re.compile(r"(?:[^/]+/)?(?P<project>[^/]+)"),
        setting="sentry",
    ),
    LinkRule(
        "sentry.io/project-slug",
        "Sentry issues",
        "bug",
        "https://sentry.io/organizations/{org}/projects/{project}/",
        re.compile(r"(?P<org>[^/]+)/(?P<project>[^/]+)"),
    ),
    LinkRule("rollbar.com/project-slug", "Rollbar items", "bug", "https://rollbar.com/{slug:path}", _OWNER_AND_NAME),
    LinkRule(
        "sonarqube.org/project-key",
        "SonarQube",
        "checklist",
        "{base}/dashboard?id={value}",
        re.compile(r"(?P<value>[\w.:-]+)"),
        setting="sonarqube",
    ),
    LinkRule(
        "snyk.io/org-name",
        "Snyk project",
        "shield-check",
        "{base}/org/{value}/project/{project}",
        setting="snyk",
        base="https://app.snyk.io",
        also={"project": "snyk.io/project-id"},
    ),
    LinkRule(
        "snyk.io/org-name",
        "Snyk projects",
        "shield-check",
        "{base}/org/{value}/projects",
        setting="snyk",
        base="https://app.snyk.io",
    ),
    _jira(
        "jira/project-key",
        "issues/?jql=project%20%3D%20{key}%20AND%20component%20%3D%20%22{component:quoted}%22",
        component="jira/component",
    ),
    _jira(
        "jira/project-key",
        "issues/?jql=project%20%3D%20{key}%20AND%20labels%20%3D%20%22{label:quoted}%22",
        label="jira/label",
    ),
    _jira("jira/project-key", "browse/{key}"),
    _jira("jira.com/project-key", "browse/{key}"),
)

RULES: tuple[LinkRule, ...] = (*_SOURCE_HOSTS, *_BUILDS, *_RUNNING, *_CARE)
