"""The settings of `[catalog.links]`: where the installations are that annotations of entities lead to."""

from pydantic import Field

from roadbed.core.setting_values import Section, WebAddress

_CLOUD = "Unset: the vendor's own, {}."


class LinkSettings(Section):
    """Where the tools are that annotations of entities lead to."""

    argocd: WebAddress | None = Field(None, description="Argo CD: `https://argocd.example.com`.")
    azure_devops: WebAddress | None = Field(
        None, description="The organisation at Azure DevOps: `https://dev.azure.com/acme`."
    )
    bitbucket: WebAddress | None = Field(
        None, description="A Bitbucket Data Center of your own. Unset: https://bitbucket.org."
    )
    circleci: WebAddress | None = Field(None, description=_CLOUD.format("https://app.circleci.com"))
    github: WebAddress | None = Field(
        None, description="A GitHub Enterprise Server. Unset: where the entity was read from, else https://github.com."
    )
    gitlab: WebAddress | None = Field(
        None, description="A GitLab of your own. Unset: where the entity was read from, else https://gitlab.com."
    )
    gocd: WebAddress | None = Field(None, description="GoCD: `https://gocd.example.com`.")
    grafana: WebAddress | None = Field(None, description="Grafana: `https://grafana.example.com`.")
    jenkins: WebAddress | None = Field(None, description="Jenkins: `https://jenkins.example.com`.")
    jira: WebAddress | None = Field(None, description="Jira: `https://acme.atlassian.net`.")
    kubernetes: WebAddress | None = Field(
        None, description="The Kubernetes Dashboard: `https://dashboard.example.com`."
    )
    opsgenie: WebAddress | None = Field(None, description="Opsgenie: `https://acme.app.opsgenie.com`.")
    pagerduty: WebAddress | None = Field(None, description="The account at PagerDuty: `https://acme.pagerduty.com`.")
    sentry: WebAddress | None = Field(
        None,
        description="The organisation at Sentry: `https://acme.sentry.io`, or "
        "`https://sentry.example.com/organizations/acme` on a server of your own.",
    )
    snyk: WebAddress | None = Field(None, description=_CLOUD.format("https://app.snyk.io"))
    sonarqube: WebAddress | None = Field(None, description="SonarQube: `https://sonar.example.com`.")
