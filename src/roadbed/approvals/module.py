"""What the approvals domain adds."""

from roadbed.approvals import api, web
from roadbed.approvals.access import APPROVAL_DECIDE, APPROVAL_DECIDE_ANY, APPROVAL_READ
from roadbed.approvals.workflows import ASK, tend, withdraw
from roadbed.core.access import PERMISSIONS
from roadbed.core.events import CONSUMERS, Consumer
from roadbed.core.extension import Module
from roadbed.core.html import NAVIGATION, PANELS, TEMPLATES, NavItem, Panel, module_templates
from roadbed.core.needs import NEEDS
from roadbed.core.routes import API, PAGES
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.runs.contract import STEPS, RunFinished

MODULE = Module(
    "approvals",
    (
        PERMISSIONS.add(APPROVAL_READ, APPROVAL_DECIDE, APPROVAL_DECIDE_ANY),
        STEPS.add(ASK),
        CONSUMERS.add(Consumer("approvals.withdraw", RunFinished, withdraw)),
        SCHEDULES.add(Schedule("approvals.tend", "* * * * *", tend)),
        API.add(api.router),
        PAGES.add(web.router),
        TEMPLATES.add(module_templates("approvals", "roadbed.approvals")),
        NEEDS.add(web.find_needs),
        PANELS.add(Panel("runs.run.waiting", 10, "approvals/_run.html", web.load_run_panel)),
        NAVIGATION.add(
            NavItem(
                "Approvals",
                "/approvals",
                "rubber-stamp",
                order=70,
                permission=APPROVAL_READ,
                count=web.count_mine,
                count_is_you=True,
            )
        ),
    ),
)
