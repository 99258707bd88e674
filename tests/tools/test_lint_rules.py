"""Each lint rule, with snippets that it refuses and snippets that it accepts."""

from pathlib import Path
from textwrap import dedent

import pytest
from tools.lint.framework import Source
from tools.lint.rules import RULES

SERVICE = "src/roadbed/catalog/service.py"
API = "src/roadbed/catalog/api.py"
REPOSITORY = "src/roadbed/catalog/repository.py"
TEMPLATE = "src/roadbed/catalog/templates/catalog/list.html"

REFUSED = [
    ("queries", SERVICE, "from sqlalchemy import select\nquery = select(1)"),
    ("queries", SERVICE, "from sqlalchemy import text as raw\nquery = raw('select 1')"),
    ("queries", SERVICE, "import sqlalchemy as sa\nquery = sa.delete(1)"),
    ("queries", API, "from sqlalchemy.dialects import postgresql\nquery = postgresql.insert(1)"),
    ("queries", "src/roadbed/core/html.py", "from sqlalchemy import select\nquery = select(1)"),
    ("queries", SERVICE, "async def f(session): return await session.get(Row, 1)"),
    ("queries", SERVICE, "async def f(self): return await self._session.scalars(query)"),
    ("commits", SERVICE, "async def f(session): await session.commit()"),
    ("commits", REPOSITORY, "async def f(connection): await connection.commit()"),
    ("locks", REPOSITORY, "from sqlalchemy import select\nquery = select(1).with_for_update(skip_locked=True)"),
    ("http-exception", API, "from fastapi import HTTPException"),
    ("http-exception", SERVICE, "from starlette.exceptions import HTTPException as Problem"),
    ("http-exception", API, "import fastapi\nraise fastapi.HTTPException(404)"),
    ("broad-except", SERVICE, "try:\n    f()\nexcept Exception:\n    pass"),
    ("broad-except", SERVICE, "try:\n    f()\nexcept BaseException as error:\n    raise Broken from error"),
    ("broad-except", "tests/test_x.py", "try:\n    f()\nexcept:\n    pass"),
    ("broad-except", SERVICE, "try:\n    f()\nexcept (OSError, Exception):\n    pass"),
    ("broad-except", SERVICE, "with contextlib.suppress(Exception):\n    f()"),
    ("handler-access", API, "@router.get('/x')\nasync def f(session: Reading): ..."),
    ("handler-access", API, "@router.post('/x')\ndef f(actor: Annotated[Actor, Depends(current_actor)]): ..."),
    ("handler-access", API, "@public_router.api_route('/x', methods=['GET'])\ndef f(): ..."),
    ("handler-access", API, "router = APIRouter(dependencies=[Depends(f)])\n@router.put('/x')\ndef f(): ..."),
    ("handler-access", API, "from roadbed.catalog.schemas import Reader\n@router.get('/')\ndef f(_: Reader): ..."),
    ("handler-registration", API, "router.add_api_route('/x', f)"),
    ("handler-registration", API, "app.mount('/x', other)"),
    ("handler-registration", API, "route = Route('/x', f)"),
    ("function-imports", SERVICE, "def f():\n    import json"),
    ("function-imports", "tests/test_x.py", "async def f():\n    if x:\n        from a import b"),
    ("domain-imports", SERVICE, "from roadbed.scm.service import open_change_request"),
    ("domain-imports", SERVICE, "from roadbed.scm import repository"),
    ("domain-imports", "src/roadbed/core/html.py", "import roadbed.catalog.service"),
    ("domain-imports", "src/roadbed/web/home.py", "from roadbed.runs.models import RunRow"),
    ("domain-imports", SERVICE, "from ..scm import service"),
    ("command-line-imports", "src/roadbed/cli/main.py", "from roadbed.core.db import Database"),
    ("command-line-imports", "src/roadbed/cli/main.py", "from roadbed.core import settings_of_server"),
    ("command-line-imports", "src/roadbed/client/http.py", "import roadbed.app"),
    ("domain-files", "src/roadbed/catalog/helpers.py", ""),
    ("domain-files", "src/roadbed/catalog/util/text.py", ""),
    ("file-size", SERVICE, "x = 1\n" * 501),
    ("function-size", SERVICE, "def f():\n" + "    x = 1\n" * 50),
    ("parameter-count", SERVICE, "def f(a, b, c, /, d, *, e, f, g): ..."),
    ("parameter-count", SERVICE, "class A:\n    def f(self, a, b, c, d, e, f, g): ..."),
    ("template-size", TEMPLATE, "<p>\n" * 151),
    ("template-code", TEMPLATE, '<p style="color: red">'),
    ("template-code", TEMPLATE, '<button {% if x %}disabled{% endif %}\n  onclick="f()">'),
    ("template-code", TEMPLATE, "<script>f()</script>"),
    ("template-code", TEMPLATE, "<style>p {}</style>"),
    ("template-code", TEMPLATE, '<p hx-on:click="f()">'),
    ("template-code", TEMPLATE, '<p data-hx-on::load="f()">'),
    ("template-code", TEMPLATE, '<p hx-trigger="click[ctrlKey]">'),
    ("template-code", TEMPLATE, '<a href="javascript:f()">'),
    ("template-code", TEMPLATE, "<p hx-vals='js:{a: 1}'>"),
]  # fmt: skip

ACCEPTED = [
    ("queries", REPOSITORY, "from sqlalchemy import select\nquery = select(1)"),
    ("queries", "src/roadbed/catalog/repository/search.py", "from sqlalchemy import text\nquery = text('')"),
    ("queries", "src/roadbed/core/db.py", "from sqlalchemy import text\nquery = text('')"),
    ("queries", SERVICE, "def text(x): ...\nvalue = text('x'); options.get('a'); services.get(Vault)"),
    ("queries", SERVICE, "async def f(session): session.add(row); await session.flush()"),
    ("commits", "src/roadbed/core/db.py", "async def f(session): await session.commit()"),
    ("commits", "src/roadbed/scm/service.py", "async def f(git): await git.commit('message')"),
    ("locks", REPOSITORY, "query = locking(select(1), skip_locked=True)"),
    ("locks", "src/roadbed/core/db.py", "query = query.with_for_update()"),
    ("http-exception", "src/roadbed/core/http/problems.py", "from starlette.exceptions import HTTPException"),
    ("broad-except", SERVICE, "try:\n    f()\nexcept OSError:\n    pass"),
    ("broad-except", SERVICE, "try:\n    f()\nexcept BaseException:\n    clean()\n    raise"),
    ("broad-except", SERVICE, "with contextlib.suppress(FileNotFoundError):\n    f()"),
    ("handler-access", API, "@router.get('/x')\ndef f(actor: Annotated[Actor, requires(READ)]): ..."),
    ("handler-access", API, "@router.get('/x')\ndef f(_: Annotated[Actor, access.anonymous('why')]): ..."),
    ("handler-access", API, "Me = Annotated[Actor, signed_in()]\n@router.get('/x')\ndef f(actor: Me): ..."),
    ("handler-access", API, "@router.get('/x', dependencies=[requires(READ)])\ndef f(): ..."),
    ("handler-access", API, "router = APIRouter(dependencies=[requires(READ)])\n@router.put('/x')\ndef f(): ..."),
    ("handler-access", API, "from roadbed.catalog.access import Reader\n@router.get('/')\ndef f(_: Reader): ..."),
    ("handler-access", API, "from roadbed.catalog import access\n@router.get('/')\ndef f(_: access.Reader): ..."),
    ("handler-access", API, "@cache.get('/x')\ndef f(): ..."),
    ("handler-registration", API, "@router.get('/x')\ndef f(): ...\nroot.include_router(router)"),
    ("function-imports", SERVICE, "import json\nif x:\n    import tomllib\nclass A:\n    import b"),
    ("domain-imports", SERVICE, "from roadbed.scm.contract import open_change_request"),
    ("domain-imports", SERVICE, "from roadbed.scm import contract as scm\nfrom roadbed.core.db import WriteSession"),
    ("domain-imports", SERVICE, "from roadbed.catalog import repository\nfrom . import rules"),
    ("domain-imports", "src/roadbed/app.py", "from roadbed.catalog.module import MODULE"),
    ("command-line-imports", "src/roadbed/cli/server.py", "from roadbed.app import open_roadbed"),
    ("command-line-imports", "src/roadbed/cli/server/up.py", "from roadbed.app import open_roadbed"),
    ("command-line-imports", "src/roadbed/cli/main.py", "from roadbed import __version__, client"),
    ("command-line-imports", "src/roadbed/cli/config.py", "import roadbed\nfrom roadbed.core.settings import Settings"),
    ("domain-files", SERVICE, ""),
    ("domain-files", "src/roadbed/catalog/rules/urls.py", ""),
    ("domain-files", "src/roadbed/core/anything.py", ""),
    ("file-size", SERVICE, "x = 1\n" * 500),
    ("file-size", "src/roadbed/migrations/versions/0001_first.py", "x = 1\n" * 600),
    ("function-size", SERVICE, "def f():\n" + "    x = 1\n" * 49),
    ("function-size", "src/roadbed/migrations/versions/0001_first.py", "def f():\n" + "    x = 1\n" * 90),
    ("parameter-count", SERVICE, "class A:\n    def f(self, a, b, c, *, d, e, f): ..."),
    ("parameter-count", "tests/test_x.py", "def test_x(a, b, c, d, e, f, g): ..."),
    ("template-size", TEMPLATE, "<p>\n" * 150),
    ("template-code", TEMPLATE, '<script src="/static/a.js"></script><p class="style" hx-trigger="keyup delay:9ms">'),
    ("template-code", TEMPLATE, '{{ button(style="primary", onclick="x") }}{# <script> #}<p>style = one</p>'),
    ("template-code", TEMPLATE, '<script type="application/json">{}</script>'),
]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a domain whose access.py declares an alias, and another name that is none."""
    root = tmp_path_factory.mktemp("repository")
    access = root / "src" / "roadbed" / "catalog" / "access.py"
    access.parent.mkdir(parents=True)
    access.write_text(
        dedent("""
            Reader = Annotated[Actor, requires(ENTITY_READ)]
            ENTITY_READ = Permission("catalog.entity.read", "See entities")
        """)
    )
    return root


def broken_rules(root: Path, path: str, text: str) -> set[str]:
    source = Source(root, path, text)
    return {problem.rule for rule in RULES for problem in rule.check(source)}


@pytest.mark.parametrize(("rule", "path", "text"), REFUSED)
def test_rule_refuses_what_breaks_the_design(rule: str, path: str, text: str, tree: Path) -> None:
    assert rule in broken_rules(tree, path, text)


@pytest.mark.parametrize(("rule", "path", "text"), ACCEPTED)
def test_rule_accepts_what_the_design_allows(rule: str, path: str, text: str, tree: Path) -> None:
    assert rule not in broken_rules(tree, path, text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_is_shown_in_both_directions(rule: object) -> None:
    name = getattr(rule, "name", "")
    assert name in {case[0] for case in REFUSED}
    assert name in {case[0] for case in ACCEPTED}


def test_names_and_codes_of_rules_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.code for rule in RULES}) == len(RULES)


def test_permission_imported_from_an_access_module_is_no_declaration(tree: Path) -> None:
    text = "from roadbed.catalog.access import ENTITY_READ\n@router.get('/')\ndef f(_: ENTITY_READ): ..."
    assert "handler-access" in broken_rules(tree, API, text)


def test_problem_of_a_template_names_its_line(tree: Path) -> None:
    source = Source(tree, TEMPLATE, '{# two\nlines #}\n<p>\n<b style="x">')
    assert [problem.line for rule in RULES for problem in rule.check(source)] == [4]
