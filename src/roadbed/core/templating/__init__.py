"""Rendering golden paths: values in `template.yaml`, and skeleton files with their names.

The syntax is that of Backstage's scaffolder: `${{ expression }}`, `{% block %}`, `{# comment #}`. Templates are written
by others than those who run them, so they run in a sandbox: they see plain data only, and what they may use is bounded.
"""

from roadbed.core.templating.engine import MISSING, TemplateEngine
from roadbed.core.templating.limits import TemplateFailed, TemplateLimits
from roadbed.core.templating.trees import TreeOptions, TreeReport

__all__ = ["MISSING", "TemplateEngine", "TemplateFailed", "TemplateLimits", "TreeOptions", "TreeReport"]
