"""The golden path python-fastapi: what it renders is clean, and every make target does its work for real."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
import yaml

from roadbed.catalog.rules.documents import read_documents
from roadbed.catalog.rules.validation import check
from tests.paths.rendering import PATHS, render_path

PATH = "python-fastapi"
VARIANTS = {"plain": False, "postgres": True}
SHORT, LONG = "ab", "a-name-of-exactly-32-characters-"[:31] + "x"
NO_NETWORK = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(scope="module", params=VARIANTS)
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service as the path creates it: rendered and committed, nothing installed yet."""
    folder = tmp_path_factory.mktemp(request.param)
    render_path(PATH, folder, postgres=VARIANTS[request.param])
    commit(folder)
    return folder


@pytest.fixture(params=product(VARIANTS.values(), (SHORT, LONG)), ids=str)
def rendered(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Either variant, with the shortest and the longest name."""
    postgres, name = request.param
    render_path(PATH, tmp_path, postgres=postgres, name=name)
    return tmp_path


def commit(folder: Path) -> None:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "First."]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def has_postgres(repository: Path) -> bool:
    return (repository / "src/app/database.py").exists()


def make_environment(extra: dict[str, str]) -> dict[str, str]:
    """What a pipeline's step sees: nothing of ours but the way to the programs and their caches."""
    passed_on = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "UV_CACHE_DIR", "UV_DEFAULT_INDEX", "SSL_CERT_FILE")
    kept = {name: os.environ[name] for name in passed_on if name in os.environ}
    return kept | {"UV": str(Path(sys.executable).with_name("uv")), "UV_PYTHON": sys.executable} | extra


def make(repository: Path, target: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", target], cwd=repository, env=make_environment(extra), capture_output=True, text=True, check=False
    )


def make_well(repository: Path, target: str, **extra: str) -> str:
    result = make(repository, target, **extra)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def load_yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def read_checks(repository: Path) -> dict[str, dict[str, str]]:
    report = json.loads((repository / "build/scan.json").read_text(encoding="utf-8"))
    return {check["name"]: check for check in report["checks"]}


@contextmanager
def running(command: list[str], *, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a command that logs the address it listens on, give the address, and press Ctrl-C at the end."""
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            seen = []
            for line in process.stdout:
                seen.append(line)
                if address := re.search(r"http://127[\d.]+:\d+", line):
                    yield address[0]
                    break
            else:
                pytest.fail("It ended before it listened:\n" + "".join(seen))
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=20)


def fetch_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - an address on this machine
        return json.load(response)


def test_nothing_of_the_templating_is_left(rendered: Path) -> None:
    for file in (path for path in rendered.rglob("*") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\$\{\{|\{%|%\}|\{#", text), file
        assert "\n\n\n\n" not in text, file
        assert not re.search(r"[ \t]$", text, re.MULTILINE), file
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), file


def test_blank_lines_of_texts_are_single(rendered: Path) -> None:
    for file in [
        *rendered.rglob("*.md"),
        *rendered.rglob("*.yaml"),
        rendered / "Makefile",
        rendered / "pyproject.toml",
    ]:
        assert "\n\n\n" not in file.read_text(encoding="utf-8"), file


def test_python_is_formatted_and_free_of_findings(rendered: Path) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for arguments in (["format", "--check"], ["check"]):
        result = subprocess.run(
            [ruff, *arguments, "--no-cache", "."], cwd=rendered, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_locks_hold_hashes_and_no_host(rendered: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lock = (rendered / name).read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
        assert "://" not in lock
        assert len(packages) > 20
        assert len(re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(packages)
        assert ("asyncpg==" in lock) == has_postgres(rendered)


def test_catalog_entities_name_owner_system_and_api(rendered: Path) -> None:
    text = (rendered / "catalog-info.yaml").read_text(encoding="utf-8")
    component, api = yaml.safe_load_all(text)

    assert component["kind"] == "Component"
    assert component["spec"]["owner"] == api["spec"]["owner"] == "group:default/payments"
    assert component["spec"]["system"] == "checkout"
    assert component["metadata"]["description"] == 'Takes "orders": and <keeps> them, at 100 % & more.'
    assert component["spec"]["providesApis"] == [api["metadata"]["name"]]
    assert (rendered / api["spec"]["definition"]["$text"]).is_file()
    for name in ("score", "runbook", "alerts"):
        assert (rendered / component["metadata"]["annotations"][f"roadbed.dev/{name}"]).is_file()


def test_service_without_a_system_has_none(tmp_path: Path) -> None:
    render_path(PATH, tmp_path, postgres=False, system="")

    for entity in yaml.safe_load_all((tmp_path / "catalog-info.yaml").read_text(encoding="utf-8")):
        assert "system" not in entity["spec"]


def test_score_file_asks_for_what_it_uses(rendered: Path) -> None:
    score = load_yaml(rendered / "score.yaml")
    placeholders = re.findall(r"\$\{([a-z.]+)\}", json.dumps(score["containers"]))

    assert score["apiVersion"] == "score.dev/v1b1"
    if has_postgres(rendered):
        assert score["resources"]["db"] == {"type": "postgres", "class": "small"}
        outputs = ("username", "password", "host", "port", "name")
        assert placeholders == [f"resources.db.{output}" for output in outputs]
    else:
        assert "resources" not in score
        assert placeholders == []


def test_score_file_fits_the_published_schema(rendered: Path) -> None:
    shared = Path(os.environ.get("ROADBED_SHARED", PATHS.parents[1] / "shared"))
    schema = shared / "fixtures/score/spec/score-v1b1.json"
    if not schema.exists():
        pytest.skip(f"{schema} is not there: set ROADBED_SHARED to the folder of the shared fixtures")

    jsonschema_rs.validate(json.loads(schema.read_text(encoding="utf-8")), load_yaml(rendered / "score.yaml"))


def test_every_alert_has_its_heading_in_the_runbook(rendered: Path) -> None:
    headings = re.findall(r"^## (\w+)$", (rendered / "docs/runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    rules = load_yaml(rendered / "ops/alerts.yaml")["groups"][0]["rules"]

    assert [rule["alert"] for rule in rules] == headings
    for rule in rules:
        assert rule["annotations"]["runbook_url"].endswith(f"/runbook/{rule['alert']}")


def test_documentation_pages_exist(rendered: Path) -> None:
    pages = [page for entry in load_yaml(rendered / "mkdocs.yml")["nav"] for page in entry.values()]

    assert sorted(pages) == sorted(file.name for file in (rendered / "docs").iterdir())


def test_catalog_accepts_template_and_entities(rendered: Path) -> None:
    for file in (PATHS / PATH / "template.yaml", rendered / "catalog-info.yaml"):
        text = file.read_text(encoding="utf-8").replace("\n    $text: ./openapi.yaml", " the text itself")
        reading = read_documents(text, file=file.name)
        assert not reading.problems
        for document in reading.documents:
            assert check(document) == []


def test_template_uses_plain_expressions_only() -> None:
    text = (PATHS / PATH / "template.yaml").read_text(encoding="utf-8")
    expressions = re.findall(r"\$\{\{\s*(.*?)\s*\}\}", text)

    assert len(expressions) > 10
    for expression in expressions:
        assert re.fullmatch(r"parameters\.\w+|steps\.[\w-]+\.output\.\w+", expression)


def test_template_asks_for_every_parameter_it_uses() -> None:
    spec = load_yaml(PATHS / PATH / "template.yaml")["spec"]
    asked = set(re.findall(r"'(\w+)': \{'title'", str(spec["parameters"])))

    assert set(re.findall(r"parameters\.(\w+)", str(spec["steps"]))) == asked


@pytest.mark.slow
def test_lint_passes(repository: Path) -> None:
    # One cache for both variants, as a pipeline keeps one: the types of the libraries are read once.
    make_well(repository, "lint", MYPY_CACHE_DIR=str(repository.parent / "mypy-cache"))


@pytest.mark.slow
def test_tests_pass_and_leave_results_and_coverage(repository: Path) -> None:
    for target, name in (("test", "unit"), ("integration", "integration")):
        make_well(repository, target)

        suite = ET.parse(repository / f"build/junit/{name}.xml").getroot()[0]  # noqa: S314 - made by pytest
        assert int(suite.attrib["tests"]) > 0
        assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == ("0", "0", "0")

    coverage = ET.parse(repository / "build/coverage.xml").getroot()  # noqa: S314 - made by coverage
    assert float(coverage.attrib["line-rate"]) > 0.8


@pytest.mark.slow
def test_scan_without_a_network_says_not_checked_and_finds_a_planted_secret(repository: Path, tmp_path: Path) -> None:
    make_well(repository, "setup")
    # Caches could hold answers of the advisory database from an earlier time.
    offline = NO_NETWORK | {"PIP_CACHE_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}

    make_well(repository, "scan", **offline)

    clean = read_checks(repository)
    assert clean["secrets"]["state"] == "passed", clean
    assert clean["dependencies"]["state"] == "not_checked", clean

    planted = repository / "src/app/planted.py"
    planted.write_text(f'KEY = "{"AKIA" + "QYLPMN5HFIQR7XYA"}"\n', encoding="utf-8")
    try:
        result = make(repository, "scan", **offline)
    finally:
        planted.unlink()

    assert result.returncode != 0
    assert read_checks(repository)["secrets"]["state"] == "failed"
    assert "src/app/planted.py:1" in read_checks(repository)["secrets"]["detail"]


@pytest.mark.slow
def test_sbom_lists_what_goes_into_production(repository: Path) -> None:
    make_well(repository, "sbom")

    sbom = json.loads((repository / "build/sbom.cdx.json").read_text(encoding="utf-8"))
    components = {component["name"]: component for component in sbom["components"]}
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "orders"
    assert components["fastapi"]["purl"].startswith("pkg:pypi/fastapi@")
    assert ("asyncpg" in components) == has_postgres(repository)
    assert "pytest" not in components
    assert str(repository) not in json.dumps(sbom)


@pytest.mark.slow
def test_built_service_runs_from_anywhere(repository: Path, tmp_path: Path) -> None:
    make_well(repository, "build")
    built = repository / "build/app"
    for file in (path for path in built.rglob("*") if path.is_file()):
        assert os.fsencode(repository) not in file.read_bytes(), f"{file} holds the path of its build"

    moved = Path(shutil.copytree(built, tmp_path / "moved"))
    container = load_yaml(repository / "score.yaml")["containers"]["main"]
    variables = {name: value for name, value in container["variables"].items() if "${" not in value}
    python = repository / ".venv/bin/python"
    command = ["env", f"--chdir={moved}", *(f"{name}={value}" for name, value in variables.items())]
    command += [str(python), *container["command"][1:]]
    if has_postgres(repository):
        command = [str(python), "tools/postgres.py", *command]

    with running(command, folder=repository, environment={"PATH": os.environ["PATH"], "PORT": "0"}) as address:
        assert fetch_json(f"{address}/readyz")["status"] == "ready"
        assert fetch_json(address)["service"] == "orders"


@pytest.mark.slow
def test_run_starts_the_service_with_all_it_needs(repository: Path) -> None:
    with running(["make", "run"], folder=repository, environment=make_environment({"PORT": "0"})) as address:
        assert fetch_json(f"{address}/readyz")["status"] == "ready"
