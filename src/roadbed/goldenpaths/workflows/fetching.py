"""The actions `fetch:template` and `fetch:plain`: files from beside the template into the workspace."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from roadbed.core.templating import TemplateEngine, TemplateFailed, TreeOptions
from roadbed.goldenpaths.rules.plans import resolve_target
from roadbed.goldenpaths.service.sources import open_source_folder
from roadbed.goldenpaths.types import Action, ActionCall, ActionScope, Foresight, Layer
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome

_LISTED = 500
_PATTERNS = {"type": "array", "items": {"type": "string"}}
_TEMPLATE_INPUT = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "minLength": 1},
        "values": {"type": "object"},
        "targetPath": {"type": "string"},
        "copyWithoutTemplating": _PATTERNS,
        "copyWithoutRender": _PATTERNS,
        "templateFileExtension": {"type": ["string", "boolean"]},
        "replace": {"type": "boolean"},
        "trimBlocks": {"type": "boolean"},
    },
}
_PLAIN_INPUT = {
    "type": "object",
    "required": ["url"],
    "properties": {"url": {"type": "string", "minLength": 1}, "targetPath": {"type": "string"}},
}

Filler = Callable[[Path], None]


async def _fetch_template(call: ActionCall, given: dict[str, Any]) -> Outcome:
    return _report(call, await _render(call, given))


async def _foresee_template(scope: ActionScope, given: dict[str, Any]) -> Foresight:
    return _foresight(await _render(scope, given))


async def _fetch_plain(call: ActionCall, given: dict[str, Any]) -> Outcome:
    return _report(call, await _copy(call, given))


async def _foresee_plain(scope: ActionScope, given: dict[str, Any]) -> Foresight:
    return _foresight(await _copy(scope, given))


async def _render(scope: ActionScope, given: dict[str, Any]) -> Layer:
    extension = given.get("templateFileExtension")
    options = TreeOptions(
        without_templating=tuple(given.get("copyWithoutTemplating") or given.get("copyWithoutRender") or ()),
        template_extension=".njk" if extension is True else extension or None,
    )
    engine = TemplateEngine(trims_blocks=bool(given.get("trimBlocks")))
    context = {"values": given.get("values") or {}}

    def fill(source: Path, folder: Path) -> None:
        engine.render_tree(source, folder, context, options=options)

    return await _add(scope, given, fill)


async def _copy(scope: ActionScope, given: dict[str, Any]) -> Layer:
    return await _add(scope, given, _copy_tree)


async def _add(scope: ActionScope, given: dict[str, Any], fill: Callable[[Path, Path], None]) -> Layer:
    target = resolve_target(given.get("targetPath", ""))
    async with open_source_folder(scope.services, scope.origin.source, given["url"]) as source:
        return await scope.workspace.add_layer(
            scope.layer, partial(fill, source), target=target, is_replacing=bool(given.get("replace"))
        )


def _copy_tree(source: Path, folder: Path) -> None:
    """Copy files as they are; links that lead out of the folder are refused."""
    for path in source.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(source.resolve()):
            name = path.relative_to(source).as_posix()
            raise TemplateFailed(
                f"The link {name} leads outside its folder.",
                hint="Replace it by the file that it stands for.",
                file=name,
            )
    shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)


def _report(call: ActionCall, layer: Layer) -> Outcome:
    for path in layer.written[:_LISTED]:
        call.step.log(path)
    if len(layer.written) > _LISTED:
        call.step.log(f"and {len(layer.written) - _LISTED} more")
    for path in layer.kept:
        call.step.log(f"{path} is there already and was left as it is", stream="info")
    return Done({"files": len(layer.written)}, note=plural(len(layer.written), "file"))


def _foresight(layer: Layer) -> Foresight:
    return Foresight(title=plural(len(layer.written), "file"), files=layer.written)


FETCH_TEMPLATE = Action(
    "fetch:template",
    "Render files",
    _TEMPLATE_INPUT,
    _fetch_template,
    foresee=_foresee_template,
    makes_files=True,
)
FETCH_PLAIN = Action("fetch:plain", "Copy files", _PLAIN_INPUT, _fetch_plain, foresee=_foresee_plain, makes_files=True)
