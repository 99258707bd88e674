"""What the audit domain adds."""

from roadbed.audit import api, web
from roadbed.audit.access import AUDIT_READ
from roadbed.core.access import PERMISSIONS
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, TEMPLATES, NavItem, module_templates
from roadbed.core.routes import API, PAGES

MODULE = Module(
    "audit",
    (
        PERMISSIONS.add(AUDIT_READ),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("audit", "roadbed.audit")),
        NAVIGATION.add(NavItem("Audit", "/audit", "shield", order=90, permission=AUDIT_READ, is_platform=True)),
    ),
)
