"""`make scan`: look for secrets in the files, and for known vulnerabilities in what is installed.

Writes build/scan.json. A check that could not be made is `not_checked`, never `passed`. Only a
check that failed fails the command.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

REPORT = Path("build/scan.json")
TIMEOUT_SECONDS = 240
BIN = Path(sys.executable).parent
COMMIT_LINE = r'^\s*commit: "?[0-9a-f]{40}\b'
"""The name of a commit, as .roadbed/path.yaml holds it, looks random and is no secret.

The scanner puts quotation marks around the values of YAML before it looks.
"""


@dataclass(frozen=True)
class Check:
    name: str
    state: Literal["passed", "failed", "not_checked"]
    detail: str


def check_secrets() -> Check:
    """Scan every file that git knows or would take, without asking anybody whether a key works."""
    name = "secrets"
    listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    files = [file for file in listed.stdout.split("\0") if Path(file).is_file()]
    if listed.returncode != 0 or not files:
        return Check(name, "not_checked", f"git lists no files: {_last_line(listed.stderr)}")
    options = ["--no-verify", "--exclude-lines", COMMIT_LINE]
    scan = _run([BIN / "detect-secrets", "scan", *options, *files])
    if scan.returncode != 0:
        return Check(name, "not_checked", f"detect-secrets failed: {_last_line(scan.stderr)}")
    found = [
        f"{file}:{secret['line_number']} ({secret['type']})"
        for file, secrets in json.loads(scan.stdout)["results"].items()
        for secret in secrets
    ]
    if found:
        advice = "Revoke it, remove it, and keep it out of git."
        return Check(name, "failed", f"Looks like a secret: {', '.join(found)}. {advice}")
    return Check(name, "passed", f"{len(files)} files hold nothing that looks like a secret.")


def check_dependencies() -> Check:
    """Ask the advisory database about each package that is installed in production.

    Not with --strict, which drops the findings when one package cannot be looked up: such packages
    are counted here instead, and make the result `not_checked`.
    """
    name = "dependencies"
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]
    audit = _run([BIN / "pip-audit", *options, "--requirement=requirements.txt"])
    try:
        packages: list[dict[str, Any]] = json.loads(audit.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Check(name, "not_checked", f"pip-audit failed: {_last_line(audit.stderr)}")
    vulnerable = [
        f"{package['name']} {package['version']} ({', '.join(v['id'] for v in package['vulns'])})"
        for package in packages
        if package.get("vulns")
    ]
    skipped = [package for package in packages if "skip_reason" in package]
    if vulnerable:
        return Check(name, "failed", f"Known vulnerabilities: {', '.join(vulnerable)}.")
    if skipped or not packages:
        reason = skipped[0]["skip_reason"] if skipped else "nothing was looked up"
        detail = f"{len(skipped)} of {len(packages)} packages could not be looked up: {reason}"
        return Check(name, "not_checked", detail)
    return Check(name, "passed", f"{len(packages)} packages have no known vulnerability.")


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=str(error))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def main() -> int:
    checks = [check_secrets(), check_dependencies()]
    REPORT.parent.mkdir(exist_ok=True)
    report = {"checks": [asdict(check) for check in checks]}
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for check in checks:
        print(f"{check.name}: {check.state.replace('_', ' ')}. {check.detail}")
    return 1 if any(check.state == "failed" for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
