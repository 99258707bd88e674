"""Where annotations lead, which pages a folder has, which links hold, and what a mkdocs.yml may ask for."""

import pytest

from roadbed.docs.errors import ConfigRefused, NothingToRender, SiteTooLarge
from roadbed.docs.rules.assembly import assemble
from roadbed.docs.rules.configs import make_mkdocs_config, nav_of, read_config
from roadbed.docs.rules.outline import find_excerpt, read_outline, take_title
from roadbed.docs.rules.plans import MAX_PAGES, find_config, make_nav, plan_configured, plan_plain
from roadbed.docs.rules.refs import (
    DirRef,
    OwnPlace,
    RefError,
    UrlRef,
    find_folder,
    find_own_place,
    find_place_elsewhere,
    find_runbook,
    read_ref,
)
from roadbed.docs.rules.runbooks import find_section, list_sections
from roadbed.docs.rules.searching import write_query
from roadbed.docs.rules.words import edit_href, find_neighbours, issue_href, list_in_order
from roadbed.docs.types import Builder, BuiltSite, LinkKind, NavEntry, RawPage, RawSite, SiteSource


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dir:.", DirRef(".")),
        (" dir:./docs ", DirRef("./docs")),
        ("url:https://host/a/b", UrlRef("https://host/a/b")),
    ],
)
def test_annotation_is_read(text: str, found: object) -> None:
    assert read_ref(text) == found


@pytest.mark.parametrize("text", ["", "dir:", "url:", "docs", "github:https://github.com/a/b", "DIR:."])
def test_annotation_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(RefError, match="leads nowhere"):
        read_ref(text)


@pytest.mark.parametrize(
    ("path", "file", "folder"),
    [
        (".", "catalog-info.yaml", ""),
        (".", "services/a/catalog-info.yaml", "services/a"),
        ("./docs/", "services/a/catalog-info.yaml", "services/a/docs"),
        ("..", "services/a/catalog-info.yaml", "services"),
        ("../..", "services/a/catalog-info.yaml", ""),
    ],
)
def test_dir_is_relative_to_the_file(path: str, file: str, folder: str) -> None:
    assert find_folder(DirRef(path), file) == folder


@pytest.mark.parametrize("path", ["..", "../../etc", "a/../../b", "/etc"])
def test_dir_that_leaves_the_repository_is_refused(path: str) -> None:
    with pytest.raises(RefError):
        find_folder(DirRef(path), "catalog-info.yaml")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://localhost:8400/repositories/shop/orders", OwnPlace("shop", "orders", None, "")),
        (
            "http://localhost:8400/repositories/shop/orders/tree/docs?at=next",
            OwnPlace("shop", "orders", "next", "docs"),
        ),
        ("http://localhost:8400/git/shop/orders.git", OwnPlace("shop", "orders", None, "")),
        ("roadbed:shop/orders", OwnPlace("shop", "orders", None, "")),
        ("roadbed:shop/orders#next:docs/a", OwnPlace("shop", "orders", "next", "docs/a")),
        ("https://elsewhere.example/repositories/shop/orders", None),
        ("http://localhost:8400/catalog", None),
        ("http://[", None),
    ],
)
def test_own_repositories_are_known_by_their_addresses(url: str, place: OwnPlace | None) -> None:
    assert find_own_place(url, "http://localhost:8400") == place


@pytest.mark.parametrize(
    ("url", "branch", "folder"),
    [
        ("https://github.com/shop/orders", None, ""),
        ("https://github.com/shop/orders/tree/main/", None, ""),
        ("https://github.com/shop/orders/tree/main/docs/a", None, "docs/a"),
        ("https://github.com/shop/orders/tree/next/docs", "next", "docs"),
    ],
)
def test_own_location_is_known_by_its_address(url: str, branch: str | None, folder: str) -> None:
    assert find_place_elsewhere(url, repository_url="https://github.com/shop/orders.git", branch=branch) == folder


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://github.com/shop/other", "not read from"),
        ("https://github.com/shop/orders-more", "not read from"),
        ("https://evil.example/shop/orders", "not read from"),
        ("https://github.com/shop/orders/tree/next/docs", "branch next"),
        ("https://github.com/shop/orders/issues", "no folder"),
        ("file:///etc", "not read from"),
    ],
)
def test_other_repositories_are_refused(url: str, reason: str) -> None:
    with pytest.raises(RefError, match=reason):
        find_place_elsewhere(url, repository_url="https://github.com/shop/orders.git", branch=None)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("docs/runbook.md", ("docs/runbook.md", None)),
        ("./docs/runbook.md#alerts", ("docs/runbook.md", None)),
        ("https://wiki.example/x", (None, "https://wiki.example/x")),
        ("javascript:alert(1)", ("javascript:alert(1)", None)),
        ("../../x", (None, None)),
    ],
)
def test_runbook_is_a_page_or_an_address(value: str, found: tuple[str | None, str | None]) -> None:
    assert find_runbook(value) == found


FILES = ["README.md", "docs/index.md", "docs/guide/setup.md", "docs/guide/README.md", "src/app.py", "docs/plan.png"]


@pytest.mark.parametrize(
    ("paths", "folder", "pages"),
    [
        (FILES, "", ["README", "docs/index", "docs/guide/README", "docs/guide/setup"]),
        (FILES, "docs", ["index", "guide/README", "guide/setup"]),
        (["a/README.md", "a/notes.md", "b/x.md"], "a", ["README", "notes"]),
        (["x.md", "node_modules/y/README.md", ".github/z.md"], "", ["x"]),
        (["a.md", "a.markdown"], "", ["a", "a.md"]),
    ],
)
def test_plain_site_has_its_readme_and_docs(paths: list[str], folder: str, pages: list[str]) -> None:
    assert list(plan_plain(paths, folder).pages) == pages


def test_folder_without_markdown_or_with_too_much_is_refused() -> None:
    with pytest.raises(NothingToRender, match="no Markdown in src"):
        plan_plain(FILES, "src")
    with pytest.raises(SiteTooLarge, match="2,001 pages"):
        plan_plain([f"docs/{number}.md" for number in range(MAX_PAGES + 1)], "")


def test_configured_site_has_what_is_in_docs_dir() -> None:
    paths = ["x/mkdocs.yml", "x/docs/index.md", "x/docs/a/b.md", "x/README.md", "docs/index.md"]
    assert find_config(paths, "x") == "x/mkdocs.yml"
    assert find_config(paths, "") is None
    plan = plan_configured(paths, "x", docs_dir="docs", config="x/mkdocs.yml")
    assert plan.root == "x/docs"
    assert dict(plan.pages) == {"index": "x/docs/index.md", "a/b": "x/docs/a/b.md"}


def test_pages_are_listed_by_folder() -> None:
    titles = {"README": "Orders", "docs/index": "Handbook", "docs/b": "Beta", "docs/a": "Alpha", "docs/guide/x": "X"}
    nav = make_nav(titles, "README")
    assert [entry.title for entry in nav] == ["Orders", "Handbook"]
    assert [entry.title for entry in nav[1].items] == ["Alpha", "Beta", "Guide"]
    assert [entry.path for entry in list_in_order(nav)] == ["README", "docs/index", "docs/a", "docs/b", "docs/guide/x"]
    before, after = find_neighbours(nav, "docs/a")
    assert (before and before.path, after and after.path) == ("docs/index", "docs/b")


def build(html: str, **others: str) -> BuiltSite:
    pages = [RawPage("guide/setup", "docs/guide/setup.md", html)]
    pages += [
        RawPage(path.replace("__", "/"), f"docs/{path.replace('__', '/')}.md", text) for path, text in others.items()
    ]
    paths = {*(page.source for page in pages), "docs/plan.png", "src/app.py", "docs/data.bin"}
    raw = RawSite(Builder.ROADBED, pages, root="docs")
    return assemble(raw, paths, repository="/repositories/shop/orders")


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ('<a href="../index.md">', '<a href="../index"'),
        ('<a href="../index.md#begin-here">', '<a href="../index#text-begin-here"'),
        ('<a href="/index.md">', '<a href="../index"'),
        ('<a href="#here">', '<a href="#text-here"'),
        ('<a href="..">', '<a href="../index"'),
        ('<a href="../../src/app.py">', '<a href="/repositories/shop/orders/file/src/app.py"'),
        ('<a href="../../src">', '<a href="/repositories/shop/orders/tree/src"'),
        ('<img src="../plan.png">', '<img src="../plan.png"'),
        ('<a href="../plan.png">', '<a href="../plan.png"'),
        ('<a href="https://example.com/">', '<a href="https://example.com/"'),
    ],
)
def test_links_lead_where_they_say(link: str, href: str) -> None:
    built = build(f'<h2 id="here">Here</h2><p>{link}x</p>', index='<h1 id="top">Top</h1><h2 id="begin-here">B</h2>')
    assert href in built.pages[0].html
    assert [found for found in built.links if found.kind is LinkKind.BROKEN] == []


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ('<a href="missing.md">', "There is no docs/guide/missing.md."),
        ('<a href="../index.md#nothing">', "index has no heading “nothing”."),
        ('<a href="#nothing">', "guide/setup has no heading “nothing”."),
        ('<a href="../../../secret">', "It leads out of the repository."),
        ('<img src="missing.png">', "There is no image docs/guide/missing.png."),
    ],
)
def test_links_that_lead_nowhere_are_listed_with_why(link: str, reason: str) -> None:
    built = build(f"<p>{link}x</p>", index="<p>x</p>")
    assert [(found.page, found.kind, found.reason) for found in built.links] == [
        ("guide/setup", LinkKind.BROKEN, reason)
    ]


def test_links_to_elsewhere_are_listed_as_not_checked() -> None:
    built = build('<a href="https://example.com/a">x</a><a href="mailto:a@example.com">y</a>')
    assert [(found.target, found.kind, found.reason) for found in built.links] == [
        ("https://example.com/a", LinkKind.EXTERNAL, "Not checked."),
        ("mailto:a@example.com", LinkKind.EXTERNAL, "Not checked."),
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">a</a>',
        '<a href="//evil.example/x" target=_top onclick=x>a</a>',
        "<form action=/sign-out method=post><input type=submit></form>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<style>body{display:none}</style><link rel=stylesheet href=//evil.example>",
        '<div class="btn-primary" id="main" style="position:fixed">x</div>',
        '<a href="http://[">a</a>',
    ],
)
def test_nothing_that_acts_is_left_of_a_page(html: str) -> None:
    page = build(html).pages[0].html.lower()
    for part in (
        "<script",
        "onerror",
        "javascript:",
        "onclick",
        "<form",
        "<input",
        "<iframe",
        "<style",
        "<link",
        "btn",
    ):
        assert part not in page
    for part in ("style=", 'id="main"', "target="):
        assert part not in page


def test_boxes_of_tasks_become_characters() -> None:
    page = build('<li><input type="checkbox" disabled checked> a</li><li><input disabled type=checkbox> b</li>').pages[
        0
    ]
    assert page.text == "☑ a ☐ b"


def test_title_headings_and_words_of_a_page() -> None:
    page = build('<h1 id="t">Set <em>up</em></h1><h2 id="a">First</h2><p>One two</p><h3 id="b">Deeper</h3>').pages[0]
    assert page.title == "Set up"
    assert "<h1" not in page.html
    assert [(heading.level, heading.id, heading.title) for heading in page.headings] == [
        (2, "text-a", "First"),
        (3, "text-b", "Deeper"),
    ]
    assert page.text == "First One two Deeper"
    assert build("<p>no heading</p>").pages[0].title == "Setup"
    assert take_title("<p>x</p>") == (None, "<p>x</p>")
    assert read_outline("<p>a &amp; b</p>").text == "a & b"


def test_excerpt_stands_around_the_word() -> None:
    text = f"{'before ' * 40}needle {'after ' * 40}"
    excerpt = find_excerpt(text, ["needle"])
    assert "needle" in excerpt
    assert excerpt.startswith("… ")
    assert excerpt.endswith(" …")
    assert find_excerpt("short", ["nothing"]) == "short"


@pytest.mark.parametrize(
    ("text", "query"),
    [("set up", "'set':* & 'up':*"), ("", None), ("!&|'():*", None), ("it's", "'it':* & 's':*")],
)
def test_search_words_are_quoted(text: str, query: str | None) -> None:
    assert write_query(text) == query


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in ("ab", "bc", "cd", "de", "ef")
)


def config(text: str) -> object:
    return read_config(text.encode(), file="mkdocs.yml", folder="")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hooks: [evil.py]", "has hooks"),
        ("INHERIT: ../base.yml", "has INHERIT"),
        ("plugins: [techdocs-core, macros]", "the plugin 'macros'"),
        ("plugins: {exec: {}}", "the plugin 'exec'"),
        ("plugins: [{techdocs-core: {}, other: {}}]", "no name"),
        ("markdown_extensions: [mymodule.evil]", "the Markdown extension 'mymodule.evil'"),
        ("markdown_extensions: [pymdownx.snippets]", "'pymdownx.snippets'"),
        ("site_name: !!python/object/apply:os.system [id]", "could run code"),
        ("site_name: !ENV SECRET", "could run code"),
        ("extra: !!python/name:os.system", "could run code"),
        ("docs_dir: ../..", "docs_dir"),
        ("docs_dir: /etc", "docs_dir"),
        ("docs_dir: .", "docs_dir"),
        ("nav: [{A: '!include ../other/mkdocs.yml'}]", "no page"),
        ("nav: index.md", "no list"),
        ("unheard_of: 1", "does not know"),
        ("- a", "no mapping"),
        ("a: [", "not YAML"),
        ("site_name: 2024-13-45", "not YAML"),
        ("[" * 60 + "]" * 60, "too deep"),
        (BOMB, "too large"),
        ("site_name: x\n" * 20_000, "more than"),
        ("site_name: \xff".encode("latin-1").decode("latin-1") + "\x00", "not YAML"),
    ],
)  # fmt: skip
def test_config_that_could_do_harm_is_refused_with_words(text: str, reason: str) -> None:
    with pytest.raises(ConfigRefused, match=reason):
        config(text)


def test_config_keeps_what_counts_and_notes_the_rest() -> None:
    text = b"""
site_name: Orders
docs_dir: handbook
theme: {name: material, custom_dir: overrides}
extra_javascript: [evil.js]
plugins: [techdocs-core, search]
markdown_extensions:
  - admonition
  - toc: {permalink: true}
  - pymdownx.emoji:
      emoji_index: !!python/name:material.extensions.emoji.twemoji
nav:
  - Home: index.md
  - Guides: [guide/a.md, {Elsewhere: 'https://example.com'}]
"""
    read = read_config(text, file="x/mkdocs.yml", folder="x")
    assert (read.site_name, read.docs_dir) == ("Orders", "handbook")
    assert [note.split()[0] for note in read.notes] == ["theme", "extra_javascript", "Python"]
    made = make_mkdocs_config(read, title="orders")
    assert made["plugins"] == ["techdocs-core"]
    assert made.keys().isdisjoint({"theme", "extra_javascript"})
    assert {"toc": {"permalink": False}} in made["markdown_extensions"]
    assert "pymdownx.emoji" in made["markdown_extensions"]
    nav = nav_of(read, {"index": "Start", "guide/a": "A"}, {"index.md": "index", "guide/a.md": "guide/a"})
    assert nav == (NavEntry("Home", "index"), NavEntry("Guides", None, (NavEntry("A", "guide/a"),)))


@pytest.mark.parametrize(
    ("web_url", "edit", "issue"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/edit/HEAD/docs/x.md", "https://github.com/a/b/issues/new?"),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b/-/edit/HEAD/docs/x.md", "https://gitlab.com/a/b/-/issues/"),
        ("https://git.example.com/a/b", None, None),
        (None, None, None),
    ],
)
def test_hosts_elsewhere_have_pages_to_edit_and_report(
    web_url: str | None, edit: str | None, issue: str | None
) -> None:
    source = SiteSource("", "x", web_url=web_url)
    assert edit_href(source, "docs/x.md") == edit
    found = issue_href(source, title="t", text="x")
    assert found is None if issue is None else found is not None and found.startswith(issue)


@pytest.mark.parametrize(
    ("alert", "section"),
    [
        ("HighLatency", "text-high-latency"),
        ("high-latency", "text-high-latency"),
        ("High_Latency", "text-high-latency"),
        ("ServiceDown", "text-servicedown"),
        ("ServiceDow", None),
        ("", None),
        ("???", None),
    ],
)
def test_alert_is_found_by_its_name_however_the_heading_writes_it(alert: str, section: str | None) -> None:
    headings = [
        {"level": 2, "id": "text-servicedown", "title": "ServiceDown"},
        {"level": 3, "id": "text-step", "title": "Step"},
        {"level": 2, "id": "text-high-latency", "title": "High latency"},
        {"level": 2, "id": "text-none", "title": "…"},
    ]
    assert find_section(headings, alert) == section
    assert [title for _, title in list_sections(headings)] == ["ServiceDown", "High latency", "…"]
