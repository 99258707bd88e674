"""Taking over Backstage's configuration and lists of people: what becomes of it, what does not, and why."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from roadbed.cli.importing.backstage import Plan, plan_import, translate_url
from roadbed.cli.importing.configs import ConfigError, read_configs, resolve
from roadbed.cli.importing.credentials import Given
from roadbed.cli.importing.durations import read_seconds
from roadbed.cli.importing.people import read_people
from roadbed.cli.importing.providers import translate_pattern
from roadbed.cli.main import app
from tests.support import RunningServer

ROOT = Path("/srv/backstage")


def plan(text: str, *, secrets: dict[str, str] | None = None, **environment: str) -> Plan:
    return plan_import(yaml.safe_load(text), Given(environment, ROOT, secrets or {}))


def wishes(made: Plan) -> list[tuple[str, str, dict[str, Any]]]:
    return [(wish.type, wish.target, dict(wish.options)) for wish in made.wishes]


def test_files_are_joined_as_backstage_joins_them(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {x: 1, y: [1, 2]}\nb: {$include: part.yaml#inner}\nc: {$file: text}\n")
    (tmp_path / "over.yaml").write_text(
        "a: {y: [3]}\nd: {$env: NAME}\ne: 'is ${NAME} ${OTHER:-none} $${NAME}'\nf: '${GONE}'\n"
    )
    (tmp_path / "part.yaml").write_text("inner: {z: 1}")
    (tmp_path / "text").write_text("words\n")
    read = read_configs([tmp_path / "base.yaml", tmp_path / "over.yaml"])
    assert resolve(read, {"NAME": "n"}) == {
        "a": {"x": 1, "y": [3]},
        "b": {"z": 1},
        "c": "words",
        "d": "n",
        "e": "is n none ${NAME}",
        "f": None,
    }


_EIGHT = ",".join(["*{0}"] * 8)
BOMB = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{_EIGHT.format(f'a{n - 1}')}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "must hold an object"),
        ("a: [", "cannot be read"),
        ("a: {$file: gone}", "cannot be read"),
        ("a: {$include: app.yaml#x}", "has no x"),
        ("a: {$include: app.yaml}", "too large or too deep"),
        (BOMB, "too large or too deep"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "app.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_configs([tmp_path / "app.yaml"])


@pytest.mark.parametrize(
    ("target", "kind", "place"),
    [
        ("https://github.com/a/b/blob/main/x/c.yaml", "git", "https://github.com/a/b.git#main:x/c.yaml"),
        ("https://github.com/a/b/blob/-/**/c.yaml", "git", "https://github.com/a/b.git#:**/c.yaml"),
        ("https://gitlab.com/a/b/c/-/blob/main/c.yaml?ref=x", "git", "https://gitlab.com/a/b/c.git#main:c.yaml"),
        ("https://gitea.example/a/b/src/branch/main/c.yaml", "git", "https://gitea.example/a/b.git#main:c.yaml"),
        ("https://example.com/catalog-info.yaml", "url", "https://example.com/catalog-info.yaml"),
    ],
)
def test_address_in_a_repository_is_read_with_git(target: str, kind: str, place: str) -> None:
    assert translate_url(target) == (kind, place)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [({"minutes": 30}, 1800), ({"hours": 1, "seconds": 5}, 3605), ("PT1H30M", 5400), ("P1D", 86_400), ("30m", 1800),
     ("90 seconds", 90), ("1 hour", 3600), ({"cron": "* * * * *"}, None), ("soon", None), ({}, None), ("P", None)],
)  # fmt: skip
def test_durations_are_read(value: Any, seconds: int | None) -> None:
    assert read_seconds(value) == seconds


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [(".*", "*"), ("^shop-.*$", "shop-*"), (r"a\.b\-c", "a.b-c"), ("a|b", None), ("[ab].*", None), ("a.b", None)],
)
def test_simple_expressions_become_globs(pattern: str, glob: str | None) -> None:
    assert translate_pattern(pattern) == glob


def test_locations_are_taken_with_their_rules() -> None:
    made = plan(
        """
        catalog:
          orphanStrategy: delete
          processingInterval: {minutes: 10}
          readonly: true
          rules:
            - allow: [Component, {kind: API}]
            - {allow: [Template], locations: [{type: url, pattern: https://github.com/acme/**}]}
            - {allow: [User], locations: [{type: file, exact: org.yaml}]}
            - {allow: [{kind: Template, spec.type: website}]}
          locations:
            - {type: url, target: "https://github.com/acme/paths/blob/main/all.yaml"}
            - {type: file, target: org.yaml, rules: [{allow: [Group]}]}
            - {type: url, target: "${GONE}"}
            - {type: bitbucket-discovery, target: x}
        techdocs: {}
        """
    )
    shared = {"remove_orphans_after_hours": 0, "interval_seconds": 600}
    assert wishes(made) == [
        (
            "git",
            "https://github.com/acme/paths.git#main:all.yaml",
            {**shared, "allowed_kinds": ["API", "Component", "Template"]},
        ),
        ("file", "/srv/backstage/org.yaml", {**shared, "allowed_kinds": ["API", "Component", "Group", "User"]}),
    ]  # fmt: skip
    reasons = {item.origin: item.reason for item in made.not_taken}
    assert "names kinds and nothing of their content" in reasons["catalog.rules[3]"]
    assert "a variable of it is not set" in reasons["catalog.locations[2]"]
    assert "bitbucket-discovery" in reasons["catalog.locations[3]"]
    assert set(reasons) >= {"catalog.readonly", "techdocs"}


GITHUB = """
catalog:
  locations: [{type: github-org, target: "https://ghe.example.com/old"}]
  providers:
    github:
      shop:
        organization: acme
        catalogPath: /**/catalog-info.yaml
        filters: {branch: main, repository: "^shop-.*$", topic: {include: [shop], exclude: [old]}, allowForks: false}
        schedule: {frequency: PT30M}
      again: {organization: acme}
      hidden: {organization: other, filters: {visibility: [public]}}
    githubOrg:
      - {id: all, githubUrl: "https://github.com", orgs: [acme, people], schedule: {frequency: {hours: 1}}}
      - {id: every, githubUrl: "https://github.com"}
    gitlab: {}
integrations:
  github:
    - {host: github.com, token: "${GITHUB_TOKEN}"}
    - {host: ghe.example.com, apiBaseUrl: "https://ghe.example.com/api/v3", apps: [{appId: 7, privateKey: "${KEY}"}]}
  gitlab: [{host: gitlab.com}]
  azure: [{host: dev.azure.com}]
"""


def test_organisations_are_taken_once_with_their_credential() -> None:
    secrets = {"github.com": "secret://gh/token", "ghe.example.com": "secret://ghe/key"}
    made = plan(GITHUB, secrets=secrets)
    found = {target: options for _, target, options in wishes(made)}
    assert found["https://github.com/acme"] == {
        "allowed_kinds": ["API", "Component", "Group", "Location", "User"],
        "interval_seconds": 1800,
        "source": {
            "token": "secret://gh/token",
            "path": "**/catalog-info.yaml",
            "branch": "main",
            "repositories": ["shop-*"],
            "topics": ["shop"],
            "exclude_topics": ["old"],
            "forks": False,
            "archived": False,
            "people": True,
        },
    }
    only_people = {"exclude_repositories": ["*"], "people": True}
    assert found["https://github.com/people"]["source"] == {"token": "secret://gh/token", **only_people}
    assert found["https://ghe.example.com/old"]["source"] == {
        "app_id": "7", "private_key": "secret://ghe/key", **only_people
    }  # fmt: skip
    reasons = {item.origin: item.reason for item in made.not_taken}
    assert "is taken already" in reasons["catalog.providers.github.again"]
    assert "visibility" in reasons["catalog.providers.github.hidden"]
    assert "names no orgs" in reasons["catalog.providers.githubOrg[1]"]
    assert {"catalog.providers", "integrations"} <= set(reasons)


def test_credential_is_asked_for_and_never_read() -> None:
    made = plan(GITHUB, GITHUB_TOKEN="ghp_known", KEY="words")
    assert made.questions == {
        "github.com": "token, ${GITHUB_TOKEN}",
        "ghe.example.com": "private key of the app, ${KEY}",
    }
    assert "ghp_known" not in repr(made)


PRIVATE = """
catalog:
  locations:
    - {type: url, target: "https://gitlab.com/acme/shop/orders/-/blob/main/catalog-info.yaml"}
    - {type: url, target: "https://code.example.com/acme/orders/src/branch/main/catalog-info.yaml"}
    - {type: url, target: "https://github.com/acme/orders/blob/main/catalog-info.yaml"}
    - {type: url, target: "https://ghe.example.com/acme/orders/blob/main/catalog-info.yaml"}
integrations:
  gitlab: [{host: gitlab.com, token: "${GITLAB_TOKEN}"}]
  gitea: [{host: code.example.com, username: reader, password: "${GITEA}"}, {host: open.example.com}]
  github:
    - {host: github.com, token: "${GITHUB_TOKEN}"}
    - {host: ghe.example.com, apps: [{appId: 7, privateKey: "${KEY}"}]}
"""


def test_repository_named_by_its_address_gets_the_credential_of_its_host() -> None:
    secrets = {host: f"secret://{host}" for host in ("gitlab.com", "code.example.com", "github.com", "ghe.example.com")}
    sources = {target: options.get("source") for _, target, options in wishes(plan(PRIVATE, secrets=secrets))}
    assert sources == {
        "https://gitlab.com/acme/shop/orders.git#main:catalog-info.yaml": {"token": "secret://gitlab.com"},
        "https://code.example.com/acme/orders.git#main:catalog-info.yaml": {
            "token": "secret://code.example.com",
            "username": "reader",
        },
        "https://github.com/acme/orders.git#main:catalog-info.yaml": {"token": "secret://github.com"},
        "https://ghe.example.com/acme/orders.git#main:catalog-info.yaml": None,  # the key of an app is no token
    }
    asked = plan(PRIVATE, GITLAB_TOKEN="glpat_known")
    assert asked.questions["gitlab.com"] == "token or password, ${GITLAB_TOKEN}"
    assert "open.example.com" not in asked.questions
    assert "glpat_known" not in repr(asked)


CSV = """\
kind,name,display_name,email,groups,parent
group,csv-shop,Shop,,,
user,csv-ines,Ines,ines@example.com,csv-shop;gone,
"""


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["line 1: the column name is missing"]),
        ("name,colour\na,b\n", ["line 1: there is no column colour"]),
        ("kind,name\nrobot,a\nuser,-x\n", ["line 2: kind is 'robot'", "line 3: name is '-x'"]),
        ("name,email\nada,nowhere\n", ["line 2: email is 'nowhere'"]),
        ("name\nada\nbob\nADA\n", ["line 4: user:default/ada stands on line 2 already"]),
        ("name,groups\nada,user:x\n", ["line 2: 'user:default/x' is not the ref of a group"]),
        ("kind,name,groups\ngroup,a,b\n", ["line 2: groups is not for a group"]),
        ("kind,name,type\nuser,b,team\n", ["line 2: type is not for a user"]),
        ("name,groups\nada\n", ["line 2: it has 1 values for 2 columns"]),
        ('name\n"ada\n', ["line 2: it is not CSV"]),
    ],
)  # fmt: skip
def test_faults_of_people_are_told_with_their_line(text: str, faults: list[str]) -> None:
    found = [str(fault) for fault in read_people(text.encode()).faults]
    assert len(found) == len(faults)
    assert all(fault.startswith(words) for fault, words in zip(found, faults, strict=True)), found


def test_people_may_come_as_spreadsheets_write_them() -> None:
    found = read_people("\ufeffname;display_name;groups\r\nada;Ada, dear;shop\r\n\r\n".encode())
    assert found.faults == ()
    assert found.foreign_groups == {"group:default/shop": 2}
    assert found.entities[0]["spec"] == {"profile": {"displayName": "Ada, dear"}, "memberOf": ["group:default/shop"]}
    assert read_people(b"\xff").faults[0].reason.startswith("the file is not UTF-8")


def run(server: RunningServer, *arguments: str) -> Any:
    environment = {"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"}
    return CliRunner(env=environment).invoke(app, ["import", *arguments])


def test_people_are_put_and_put_again(server: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    first = run(server, "people", str(file), "-o", "json")
    assert first.exit_code == 0, first.output
    assert yaml.safe_load(first.stdout) == [
        {"ref": "group:default/csv-shop", "change": "created"},
        {"ref": "user:default/csv-ines", "change": "created"},
    ]
    assert "line 3: group:default/gone is neither in the file nor in the catalog" in first.stderr
    again = run(server, "people", str(file), "-o", "json")
    assert {row["change"] for row in yaml.safe_load(again.stdout)} == {"unchanged"}
    file.write_text("name,email\nada,nowhere\n")
    wrong = run(server, "people", str(file))
    assert (wrong.exit_code, "line 2: email is 'nowhere'" in wrong.stderr) == (1, True)


def test_configuration_is_taken_over_once(server: RunningServer, tmp_path: Path) -> None:
    file, catalog = tmp_path / "app-config.yaml", tmp_path / "imported.yaml"
    catalog.write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {name: imported}\nspec: {owner: a}\n"
    )
    file.write_text(
        "catalog: {locations: [{type: file, target: imported.yaml, rules: [{allow: [Domain]}]}]}\nproxy: {}\n"
    )

    def take(*more: str) -> dict[str, Any]:
        answer = run(server, "backstage", str(file), "--root", str(tmp_path), "-o", "json", *more)
        assert answer.exit_code == 0, answer.output
        found: dict[str, Any] = yaml.safe_load(answer.stdout)
        return found

    def states(found: dict[str, Any]) -> list[str]:
        return [row["state"] for row in found["taken"]]

    assert states(take("--dry-run")) == states(take()) == ["new"]
    assert states(take()) == ["unchanged"]
    file.write_text(file.read_text().replace("catalog: {", "catalog: {processingInterval: PT1H, "))
    assert states(take("--dry-run")) == states(take()) == ["changed"]
    assert take()["not_taken"] == [{"origin": "proxy", "reason": "no part of the catalog"}]
