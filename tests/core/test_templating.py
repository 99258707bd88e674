import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadbed.core.templating import MISSING, TemplateEngine, TemplateFailed, TemplateLimits, TreeOptions

CONTEXT: dict[str, Any] = {
    "parameters": {
        "name": "orders-api",
        "port": 8080,
        "ratio": 0.5,
        "whole": 2.0,
        "public": True,
        "nothing": None,
        "tags": ["go", "rest"],
        "owner": "group:default/checkout",
        "repoUrl": "roadbed.test?owner=shop&repo=orders",
        "labels": {"tier": "1", "items": "own key"},
    },
    "values": {"name": "orders", "docker": False, "folder": "com/example/orders"},
    "steps": {"publish": {"output": {"remoteUrl": "http://roadbed.test/git/shop/orders.git"}}},
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(exclude_characters="${"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=12,
)

engine = TemplateEngine()


def render(text: str) -> Any:
    return engine.render_value(text, CONTEXT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${{ parameters.port }}", 8080),
        ("${{ parameters.tags }}", ["go", "rest"]),
        ("${{ parameters.labels }}", {"tier": "1", "items": "own key"}),
        ("${{ parameters.public }}", True),
        ("${{ parameters.nothing }}", None),
        ("${{parameters.port}}", 8080),
        ("${{- parameters.port -}}", 8080),
        (" ${{ parameters.port }}", " 8080"),
        ("${{ parameters.port }}${{ parameters.port }}", "80808080"),
        ("${{ '}}' }}", "}}"),
        ("a${{ parameters.absent }}b", "ab"),
        ("${{ steps.publish.output.remoteUrl }}", "http://roadbed.test/git/shop/orders.git"),
    ],
)
def test_text_that_is_one_expression_keeps_its_type(text: str, value: Any) -> None:
    assert render(text) == value
    assert type(render(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ parameters.name === 'orders-api' }}", True),
        ("${{ parameters.name !== 'orders-api' }}", False),
        ("${{ parameters.nothing == null and parameters.absent == null }}", True),
        ("{% if parameters.absent %}a{% elseif parameters.public %}b{% endif %}", "b"),
        ("{% for key, value in parameters.labels %}${{ key }}=${{ value }};{% endfor %}", "tier=1;items=own key;"),
        ("{% for tag in parameters.tags %}${{ tag }}{% if not loop.last %},{% endif %}{% endfor %}", "go,rest"),
        ("${{ parameters.tags.length }}/${{ parameters.name.length }}", "2/10"),
        ("${{ parameters.name.split('-')[0].toUpperCase() }}", "ORDERS"),
        ("${{ parameters.name.replace('-', '_') }}", "orders_api"),
        ("${{ parameters.tags.includes('go') and 'rest' in parameters.tags }}", True),
        ("${{ 'port-' + parameters.port }}", "port-8080"),
        ("${{ parameters.labels.items }}", "own key"),
        ("${{ parameters.name | replace('-', '') | upper }}", "ORDERSAPI"),
        ("${{ parameters.labels | dump }}", '{"tier":"1","items":"own key"}'),
        (
            "x ${{ parameters.whole }} ${{ parameters.ratio }} ${{ parameters.public }} ${{ parameters.nothing }}|",
            "x 2 0.5 true |",
        ),
        ("x ${{ parameters.tags }} ${{ parameters.labels }}", 'x go,rest {"tier":"1","items":"own key"}'),
        ("{% verbatim %}${{ github.sha }}{% endverbatim %}", "${{ github.sha }}"),
        ("{% raw %}${{ github.sha }}{% endraw %}", "${{ github.sha }}"),
        ("{# a comment #}${{ parameters.absent | default('none') }}", "none"),
        ("${{ parameters.port if parameters.public else 1 }}", 8080),
        ("$HOME ${VAR} {{ x }} #{y}", "$HOME ${VAR} {{ x }} #{y}"),
    ],
)
def test_templates_written_for_nunjucks_mean_the_same(text: str, value: Any) -> None:
    assert render(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ parameters.repoUrl | parseRepoUrl }}", {"host": "roadbed.test", "owner": "shop", "repo": "orders"}),
        ("${{ (parameters.repoUrl | parseRepoUrl).owner }}", "shop"),
        ("${{ parameters.repoUrl | parseRepoUrl | pick('repo') }}", "orders"),
        ("${{ parameters.repoUrl | projectSlug }}", "shop/orders"),
        ("${{ parameters.owner | parseEntityRef | pick('name') }}", "checkout"),
        (
            '${{ "web" | parseEntityRef({ defaultKind: "component", defaultNamespace: "shop" }) }}',
            {"kind": "component", "namespace": "shop", "name": "web"},
        ),
    ],
)
def test_filters_of_backstage_are_there(text: str, value: Any) -> None:
    assert render(text) == value


def test_structures_are_rendered_and_keys_without_a_value_are_left_out() -> None:
    value = {
        "name": "${{ parameters.name }}",
        "about": "${{ parameters.absent }}",
        "list": ["${{ parameters.absent }}", 1],
    }
    assert engine.render_value(value, CONTEXT) == {"name": "orders-api", "list": [None, 1]}
    assert render("${{ parameters.absent.deeper.still }}") is MISSING


@given(value=JSON)
def test_values_without_expressions_come_back_unchanged(value: Any) -> None:
    assert engine.render_value(value, CONTEXT) == value


@given(value=JSON)
def test_any_value_goes_through_an_expression_unchanged(value: Any) -> None:
    assert engine.render_value("${{ values.it }}", {"values": {"it": value}}) == value


PIECES = """${{ }} {% %} {# #} if for in set endif endfor x parameters . name | ( ) [ ] , : ' 1 + ~ * ** == else null
    range(9) raw upper join _x __class__""".split()  # noqa: SIM905 - quoted, it is noise


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*PIECES, "\n"]), max_size=25))
def test_any_template_renders_or_fails_properly(pieces: list[str]) -> None:
    with contextlib.suppress(TemplateFailed):
        engine.render_value(" ".join(pieces), CONTEXT)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("one\n\nthree ${{ paramters.name }}", 3, 'There is no "paramters" here'),
        ("${{ paramters }}", 1, 'There is no "paramters" here'),
        ("one\ntwo ${{ parameters.name | shout }}", 2, "No filter named 'shout'"),
        ("one\ntwo ${{ parameters.name( }}", 2, "unexpected"),
        ("{% if a %}\n", 1, "endif"),
        ("one\n${{ 1 / 0 }}", 2, "division by zero"),
        ("${{ parameters.name.nothing() }}", 1, '"nothing" is no function'),
        ("{% include 'other' %}", 1, "each file stands alone"),
        ("${{ 'x' | parseRepoUrl }}", 1, "no repository address"),
        ("${{ parameters.name.replace() }}", 1, "does not take these arguments"),
        ("${{ '' | parseEntityRef }}", 1, "must not be empty"),
    ],
)
def test_error_names_file_line_and_expression(text: str, line: int, message: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        engine.render_value(text, CONTEXT, source="skeleton/README.md")
    error = caught.value
    assert message in error.message
    assert error.message.startswith("skeleton/README.md")
    assert error.context["line"] == line
    assert error.context["expression"] == text.splitlines()[line - 1].strip()


def test_error_in_a_value_names_its_place() -> None:
    with pytest.raises(TemplateFailed, match=r"template.yaml: steps\[1\]: input"):
        engine.render_value({"steps": [{}, {"input": "${{ nope }}"}]}, CONTEXT)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${{ a && b }}", "`and`"),
        ("${{ a || b }}", "`or`"),
        ("${{ a ? 1 : 2 }}", "if condition"),
        ("${{ !a }}", "`not`"),
    ],
)
def test_operators_of_javascript_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        render(text)
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_strict_engine_refuses_missing_members() -> None:
    with pytest.raises(TemplateFailed, match="absent"):
        TemplateEngine(is_strict=True).render_value("x ${{ values.absent }}", CONTEXT)
    assert TemplateEngine(is_strict=True).render_value("x ${{ values.absent | default('y') }}", CONTEXT) == "x y"


@pytest.mark.parametrize(
    "text",
    [
        "${{ ''.__class__.__mro__[1].__subclasses__() }}",
        "${{ parameters['__class__'] }}x",
        "${{ parameters.name.format.__globals__ }}x",
        "${{ [''] | map(attribute='__class__') | join }}",
        "${{ ['x'] | sort(attribute='__class__') | first }}x",
        "${{ range.__globals__ }}x",
        "${{ namespace.__init__.__globals__ }}x",
        "${{ cycler.__init__.__globals__ }}x",
        "${{ joiner('x')._sep }}x",
        "{% macro m() %}{% endmacro %}${{ m._environment }}x",
        "{% for x in [1] %}${{ loop._iterable }}${{ loop.__class__ }}{% endfor %}x",
        "${{ self.__init__ }}x",
        "${{ self._TemplateReference__context }}x",
        "${{ '{0.__class__}'.format('') }}",
        "${{ '%s' % parameters }}",
        "${{ parameters.tags.append('x') }}",
        "${{ parameters.labels.update({'a': 1}) }}",
        "${{ 'x' | attr('__class__') }}",
        "${{ 'a'.encode() }}",
        "{% set parameters.name = 'x' %}",
        "${{ absent.__class__ }}x",
        "${{ parameters.absent.__class__.__mro__ }}x",
    ],
)
def test_nothing_of_python_can_be_reached(text: str) -> None:
    before = str(CONTEXT)
    try:
        assert "class" not in str(render(text)).replace("__class__", "")
        assert render(text) in {"x", "xx", "", MISSING} or render(text) == MISSING
    except TemplateFailed:
        pass
    assert str(CONTEXT) == before


def test_objects_of_python_are_not_taken_as_values() -> None:
    with pytest.raises(TypeError, match="Path is no value"):
        engine.render_value("${{ x }}", {"x": Path()})


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "${{ range(10000000) | list | length }}",
        "{% set n = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x | replace('a', n.x) %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = [n.x, n.x] | join %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x %}${{n.x}}${{n.x}}{% endset %}{% endfor %}",
        "{% set n = namespace(x=9) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "${{ 9 ** 99999999 }}",
        "${{ 'x' * 100000000 }}",
        "${{ [1] * 100000000 }}",
        "${{ 'x' | indent(100000000) }}",
        "${{ [1] | batch(100000000, 'x') | list }}",
        "${{ 'x'.padStart(1000000000) }}",
        "${{ '%1000000000d' % 1 }}",
        "{% macro m() %}${{ m() }}${{ m() }}{% endmacro %}${{ m() }}",
        "{% for a in [1] recursive %}${{ loop([1]) }}${{ loop([1]) }}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9) %}" + "x" * 1000 + "{% endfor %}{% endfor %}",
        "${{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "${{ " + "[" * 3000 + "]" * 3000 + " }}",
    ],
)
def test_templates_that_would_use_too_much_are_stopped(text: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateFailed):
        engine.render_value(text, CONTEXT)
    assert time.process_time() - started < 3


def test_check_finds_faults_without_rendering() -> None:
    engine.check("${{ parameters.a }} {% for x in range(3) %}${{ x }}{% endfor %}", names={"parameters"})
    with pytest.raises(TemplateFailed, match='There is no "user" here') as caught:
        engine.check("one\n${{ user.name }}", names={"parameters"})
    assert caught.value.context["line"] == 2
    with pytest.raises(TemplateFailed, match="No filter named"):
        engine.check("${{ parameters | nope }}", names={"parameters"})


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    files = {
        "README.md": "# ${{ values.name }}\n",
        "crlf.txt": "one ${{ values.name }}\r\ntwo\r\n",
        "src/${{ values.folder }}/Main.java": "package ${{ values.folder.replaceAll('/', '.') }};\n",
        "${{ 'Dockerfile' if values.docker }}": "FROM scratch\n",
        "{% if values.docker %}deploy{% endif %}/chart.yaml": "x",
        "docs/index.md": "${{ values.name }} ${{ github.sha }}",
        ".github/workflow.yaml": "${{ github.sha }}",
    }
    for name, content in files.items():
        path = tmp_path / "skeleton" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    root = tmp_path / "skeleton"
    (root / "run.sh").write_text("echo ${{ values.name }}\n")
    (root / "run.sh").chmod(0o755)
    (root / "logo.png").write_bytes(b"\x89PNG\0${{ values.name }}")
    (root / "latin.txt").write_bytes(b"\xe9 ${{ values.name }}")
    (root / "link.md").symlink_to("README.md")
    return root


OPTIONS = TreeOptions(without_templating=("docs", ".github/**"))


def test_tree_is_rendered_with_its_names(skeleton: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    report = engine.render_tree(skeleton, target, CONTEXT, options=OPTIONS)
    assert (target / "README.md").read_text() == "# orders\n"
    assert (target / "crlf.txt").read_bytes() == b"one orders\r\ntwo\r\n"
    assert (target / "src/com/example/orders/Main.java").read_text() == "package com.example.orders;\n"
    assert (target / "docs/index.md").read_text() == "${{ values.name }} ${{ github.sha }}"
    assert (target / ".github/workflow.yaml").read_text() == "${{ github.sha }}"
    assert (target / "logo.png").read_bytes() == b"\x89PNG\0${{ values.name }}"
    assert (target / "latin.txt").read_bytes() == b"\xe9 ${{ values.name }}"
    assert (target / "link.md").readlink() == Path("README.md")
    assert os.access(target / "run.sh", os.X_OK)
    assert not os.access(target / "README.md", os.X_OK)
    assert not (target / "Dockerfile").exists()
    assert not (target / "deploy").exists()
    assert len(report.written) == 9
    assert "${{ 'Dockerfile' if values.docker }}" in report.skipped


def test_tree_is_rendered_the_same_each_time(skeleton: Path, tmp_path: Path) -> None:
    reports = [engine.render_tree(skeleton, tmp_path / name, CONTEXT, options=OPTIONS) for name in ("one", "two")]
    assert reports[0] == reports[1]
    for name in reports[0].written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_files_that_exist_are_kept_unless_told(skeleton: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "README.md").write_text("mine")
    assert engine.render_tree(skeleton, target, CONTEXT, options=OPTIONS).kept == ("README.md",)
    assert (target / "README.md").read_text() == "mine"
    replacing = TreeOptions(without_templating=OPTIONS.without_templating, is_replacing=True)
    engine.render_tree(skeleton, target, CONTEXT, options=replacing)
    assert (target / "README.md").read_text() == "# orders\n"


def test_only_files_with_the_extension_are_rendered(tmp_path: Path) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    (root / "a.txt.njk").write_text("${{ values.name }}")
    (root / "b.txt").write_text("${{ values.name }}")
    engine.render_tree(root, tmp_path / "target", CONTEXT, options=TreeOptions(template_extension=".njk"))
    assert (tmp_path / "target/a.txt").read_text() == "orders"
    assert (tmp_path / "target/b.txt").read_text() == "${{ values.name }}"


@pytest.mark.parametrize(
    "value", ["../outside", "a/../../outside", "..", ".git/hooks/post-checkout", "a/.GIT/config", "a\\b", "a\nb", "."]
)
def test_names_that_lead_outside_are_refused(tmp_path: Path, value: str) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    (root / "${{ values.x }}").write_text("content")
    with pytest.raises(TemplateFailed, match="may not be written"):
        engine.render_tree(root, tmp_path / "target", {"values": {"x": value}})
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("value", ["", "/etc/passwd", "a//b", " "])
def test_names_with_an_empty_part_are_left_out(tmp_path: Path, value: str) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    (root / "${{ values.x }}").write_text("content")
    assert engine.render_tree(root, tmp_path / "target", {"values": {"x": value}}).written == ()


@pytest.mark.parametrize("leads_to", ["/etc/passwd", "../outside", "folder/../../outside"])
def test_links_that_lead_outside_are_refused(tmp_path: Path, leads_to: str) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    (tmp_path / "outside").write_text("private")
    (root / "link").symlink_to(leads_to)
    with pytest.raises(TemplateFailed, match="outside the skeleton"):
        engine.render_tree(root, tmp_path / "target", CONTEXT)


def test_nothing_is_written_behind_a_link_of_the_target(tmp_path: Path) -> None:
    root, target, outside = tmp_path / "skeleton", tmp_path / "target", tmp_path / "outside"
    for folder in (root / "folder", target, outside):
        folder.mkdir(parents=True)
    (root / "folder" / "file").write_text("x")
    (target / "folder").symlink_to(outside)
    with pytest.raises(TemplateFailed, match="leads outside"):
        engine.render_tree(root, target, CONTEXT)
    assert not list(outside.iterdir())


def test_two_files_that_get_one_name_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    (root / "${{ values.name }}").write_text("x")
    (root / "orders").write_text("y")
    with pytest.raises(TemplateFailed, match="both become orders"):
        engine.render_tree(root, tmp_path / "target", CONTEXT)


def test_tree_with_too_many_files_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    for number in range(4):
        (root / str(number)).write_text("x")
    with pytest.raises(TemplateFailed, match="more than 3 files"):
        TemplateEngine(limits=TemplateLimits(file_count=3)).render_tree(root, tmp_path / "target", CONTEXT)


def test_error_in_a_tree_names_the_file(tmp_path: Path) -> None:
    root = tmp_path / "skeleton"
    (root / "src").mkdir(parents=True)
    (root / "src" / "main.py").write_text("one\nname = '${{ vales.name }}'\n")
    with pytest.raises(TemplateFailed, match=r'src/main\.py, line 2: There is no "vales" here'):
        engine.render_tree(root, tmp_path / "target", CONTEXT)


def test_pipe_in_a_skeleton_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "skeleton"
    root.mkdir()
    os.mkfifo(root / "pipe")
    with pytest.raises(TemplateFailed, match="neither a file nor a folder"):
        engine.render_tree(root, tmp_path / "target", CONTEXT)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("**/*.md", ["a.md", "x/y/a.md"], ["a.txt"]),
        ("*.md", ["a.md"], ["x/a.md"]),
        ("docs", ["docs/a", "docs/x/y"], ["docs2/a"]),
        ("./docs/**", ["docs/a", "docs/x/y"], ["x/docs/a"]),
        ("a?.[ch]", ["ab.c", "ax.h"], ["ab.o", "a/.c"]),
        ("*.{md,txt}", ["a.md", "b.txt"], ["c.rst"]),
        ("[!a].md", ["b.md"], ["a.md"]),
    ],
)
def test_patterns_match_as_globs_do(tmp_path: Path, pattern: str, matching: list[str], other: list[str]) -> None:
    root, target = tmp_path / "skeleton", tmp_path / "target"
    for name in matching + other:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("${{ values.name }}")
    engine.render_tree(root, target, CONTEXT, options=TreeOptions(without_templating=(pattern,)))
    assert {name for name in matching + other if (target / name).read_text() != "orders"} == set(matching)


def test_block_lines_disappear_when_blocks_are_trimmed() -> None:
    text = "a\n  {% if values.name %}\nb\n  {% endif %}\nc\n"
    assert TemplateEngine(trims_blocks=True).render_value(text, CONTEXT) == "a\nb\nc\n"
    assert engine.render_value(text, CONTEXT) == "a\n  \nb\n  \nc\n"


def test_own_filters_can_be_added() -> None:
    own = TemplateEngine(filters={"shout": lambda text: text.upper()})
    assert own.render_value("${{ values.name | shout }}!", CONTEXT) == "ORDERS!"
