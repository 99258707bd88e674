"""Command line of the lint rules: `python -m tools.lint [PATH…]`; exit code 1 when there are problems."""

import argparse
import sys
from pathlib import Path

from tools.lint.exceptions import FILE, read_exceptions
from tools.lint.framework import find_sources, lint
from tools.lint.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description="Check the rules of the design.")
    parser.add_argument("paths", nargs="*", help="files or folders; the whole tree when left out")
    parser.add_argument("--rules", action="store_true", help="list the rules and stop")
    arguments = parser.parse_args()
    if arguments.rules:
        for rule in RULES:
            print(f"{rule.code}  {rule.name:<24}{rule.description}")
        return 0
    chosen = [Path(path).resolve() for path in arguments.paths]
    sources = list(find_sources(ROOT, chosen))
    exceptions = read_exceptions(Path(__file__).with_name(FILE), {rule.name for rule in RULES})
    problems = lint(sources, RULES, exceptions, is_whole_tree=not chosen)
    for problem in problems:
        print(problem)
    print(f"{len(sources)} files, {len(RULES)} rules, {len(exceptions)} exceptions: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
