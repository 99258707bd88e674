"""What the web shell adds."""

from roadbed.core.extension import Module
from roadbed.core.html import TEMPLATES, module_templates

MODULE = Module("web", (TEMPLATES.add(module_templates("web", "roadbed.web")),))
