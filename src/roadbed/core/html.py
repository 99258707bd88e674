"""Pages made on the server: one `render` for a page or a fragment of it.

Each module adds its `templates/` folder under its own name: `catalog/list.html`. What every template may use is listed
in docs/contributing/pages.md. There is no inline script or style anywhere: the policy forbids it.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

import roadbed
from roadbed.core.access import DeciderService, Permission, current_actor
from roadbed.core.actor import Actor
from roadbed.core.errors import Unavailable
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.core.services import Services
from roadbed.kit.clock import now
from roadbed.kit.text import ago, duration, filesize, iso, name_actor, number, shorten_digests

THEME_COOKIE = "roadbed_theme"
SubjectT = TypeVar("SubjectT")


class AssetsMissing(Unavailable):
    code = "pages.assets_missing"


@dataclass(frozen=True)
class Templates:
    """A module's templates, addressed as `<module>/<file>`."""

    module: str
    folder: Path


@dataclass(frozen=True)
class NavItem:
    """A place in the rail. `count` gives the number beside it; one that waits for the reader is `count_is_you`."""

    label: str
    href: str
    icon: str
    order: int
    permission: Permission | None = None
    is_platform: bool = False
    count: Callable[[Services, Actor], Awaitable[int]] | None = None
    count_is_you: bool = False


@dataclass(frozen=True)
class Panel(Generic[SubjectT]):
    """A part that one module adds to another's page.

    Args:
        place: the slot's name, as the page declares it: `catalog.entity.main`.
        order: smaller is higher.
        template: what to render.
        load: gives the template's context, or None when there is nothing to show.
    """

    place: str
    order: int
    template: str
    load: Callable[[Request, SubjectT], Awaitable[Mapping[str, Any] | None]]


TEMPLATES: Slot[Templates] = Slot(ContributionKind.TEMPLATES, Templates)
NAVIGATION: Slot[NavItem] = Slot(ContributionKind.NAVIGATION, NavItem)
PANELS: Slot[Panel[Any]] = Slot(ContributionKind.PANEL, Panel)


FILTERS: dict[str, Callable[..., str]] = {
    "ago": ago,
    "duration": duration,
    "filesize": filesize,
    "iso": iso,
    "name_actor": name_actor,
    "number": number,
    "shorten_digests": shorten_digests,
}


class Renderer:
    """The template environment and everything that frames a page."""

    def __init__(self, services: Services, *, organisation: str, static: Path) -> None:
        registry = services.get(Registry)
        self._services = services
        self._navigation = sorted(registry.get(NAVIGATION), key=lambda item: (item.is_platform, item.order))
        self._panels = sorted(registry.get(PANELS), key=lambda panel: panel.order)
        self._static = static
        self._versions: dict[str, str] = {}
        self.environment = Environment(
            loader=PrefixLoader({entry.module: FileSystemLoader(entry.folder) for entry in registry.get(TEMPLATES)}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            enable_async=False,
        )
        self.environment.filters |= FILTERS
        self.environment.globals |= {
            "asset": self.asset,
            "version": roadbed.__version__,
            "organisation": organisation,
        }
        # A global, because a block that is rendered by itself does not run the imports at the top of its page.
        self.environment.globals["ui"] = self.environment.get_template("web/ui.html").module

    def asset(self, path: str) -> str:
        """Return the URL of a static file, with a version that changes with its content.

        Raises:
            AssetsMissing: it is not there.
        """
        if path not in self._versions:
            try:
                content = (self._static / path).read_bytes()
            except FileNotFoundError as error:
                raise AssetsMissing(
                    f"The pages' assets are not built: {path} is missing.",
                    hint="Run `make run`, or `npm ci && python tools/assets.py`.",
                ) from error
            self._versions[path] = hashlib.sha256(content).hexdigest()[:10]
        return f"/static/{path}?v={self._versions[path]}"

    async def render(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        fragment: str | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """Return the page, or only its block `fragment` when htmx asked.

        Args:
            request: tells who reads, where they are, and whether htmx asked.
            template: `<module>/<file>`.
            context: the template's own values.
            fragment: a block that can be exchanged by itself.
            status: the HTTP status.
        """
        frame = await self._frame(request)
        found = self.environment.get_template(template)
        headers = {"Vary": "HX-Request, Cookie"}
        if fragment is not None and request.headers.get("hx-request") == "true":
            block = found.blocks[fragment]
            body = "".join(block(found.new_context({**frame, **context})))
        else:
            body = found.render({**frame, **context})
        return HTMLResponse(body, status, headers)

    async def panels(self, request: Request, place: str, subject: Any) -> list[Markup]:
        """Render what other modules add at `place` for `subject`."""
        rendered = []
        frame: dict[str, Any] | None = None
        for panel in self._panels:
            if panel.place != place:
                continue
            context = await panel.load(request, subject)
            if context is not None:
                frame = frame or await self._frame(request)
                text = self.environment.get_template(panel.template).render({**frame, **context})
                rendered.append(Markup(text))  # noqa: S704 - made by our own autoescaping templates
        return rendered

    async def _frame(self, request: Request) -> dict[str, Any]:
        actor = await current_actor(request)
        theme = request.cookies.get(THEME_COOKIE)
        return {
            "actor": actor if actor.is_authenticated else None,
            "nav": await self._nav(request, actor),
            "now": now(),
            "request_path": request.url.path,
            "request_query": request.url.query,
            "theme": theme if theme in ("light", "dark") else None,
        }

    async def _nav(self, request: Request, actor: Actor) -> list[dict[str, Any]]:
        if not actor.is_authenticated:
            return []
        decider = self._services.get(DeciderService)
        path = request.url.path
        return [
            {
                "label": item.label,
                "href": item.href,
                "icon": item.icon,
                "is_platform": item.is_platform,
                "is_current": path == item.href or (item.href != "/" and path.startswith(item.href + "/")),
                "count": await item.count(self._services, actor) if item.count else 0,
                "count_is_you": item.count_is_you,
            }
            for item in self._navigation
            if item.permission is None or decider.has(actor, item.permission)
        ]


async def render(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """Render with the application's `Renderer`; see there."""
    renderer: Renderer = request.app.state.services.get(Renderer)
    return await renderer.render(request, template, context or {}, fragment=fragment, status=status)


def module_templates(module: str, package: str) -> Templates:
    """Return the manifest entry for the `templates/` folder of `package`."""
    return Templates(module, Path(str(files(package) / "templates")))
