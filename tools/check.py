"""Run every static check, two at a time, and show all failures, not only the first.

python tools/check.py [NAME…]     all checks, or those named
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# The slowest first, so that the others run beside it.
CHECKS: dict[str, tuple[str, ...]] = {
    "mypy": (str(BIN / "mypy"), "--num-workers", "2"),
    "ruff check": (str(BIN / "ruff"), "check", "--quiet", "--output-format", "concise"),
    "ruff format": (str(BIN / "ruff"), "format", "--check", "--output-format", "concise"),
    "import-linter": (str(BIN / "lint-imports"), "--no-logo"),
    "tools.lint": (sys.executable, "-m", "tools.lint"),
    "djlint": (str(BIN / "djlint"), "src", "--lint", "--quiet"),
}


@dataclass(frozen=True)
class Result:
    name: str
    code: int
    output: str
    seconds: float


def run_check(name: str) -> Result:
    start = time.monotonic()
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}
    done = subprocess.run(
        CHECKS[name],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(name, done.returncode, done.stdout.strip(), time.monotonic() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the static checks.")
    parser.add_argument("names", nargs="*", choices=[[], *CHECKS], help="which; all when left out")
    names = parser.parse_args().names or list(CHECKS)
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run_check, names))
    for result in results:
        if result.code:
            print(f"--- {result.name} ---\n{result.output}\n")
    for result in results:
        print(f"{result.name:<15} {'failed' if result.code else 'ok':<7} {result.seconds:5.1f} s")
    return 1 if any(result.code for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
