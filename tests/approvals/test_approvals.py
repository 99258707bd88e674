"""Approvals on a live server: runs wait, the right people decide, time and cancellation end a question."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import update

from roadbed.approvals.contract import ApprovalState, ApprovalWish, ask_approval, find_approval
from roadbed.approvals.models import Approval
from roadbed.approvals.workflows import tend
from roadbed.core.actor import system_actor
from roadbed.kit.clock import now
from tests.approvals.conftest import JSON, PAGE, Office, decide
from tests.identity.people import new_name
from tests.process import RoadbedProcess
from tests.support import RunningServer


def change(server: RunningServer, approval: dict[str, Any], **values: Any) -> None:
    """Move times of an approval, as waiting would."""

    async def write() -> None:
        async with server.database.write() as session:
            await session.execute(update(Approval).where(Approval.id == UUID(approval["id"])).values(**values))

    server.run(write())


def test_approved_run_goes_on_and_knows_who_approved(office: Office) -> None:
    run_id = office.start(detail="3.3.9 becomes 3.4.0")
    approval = office.waits(run_id)
    assert approval["approvers"] == [office.group]
    assert approval["detail"] == "3.3.9 becomes 3.4.0"
    answer = decide(office.bob, approval, "approve", "Checked on staging")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "approved"
    run = office.ends(run_id)
    assert run["state"] == "succeeded"
    assert run["output"]["ask"] == {"by": f"user:{office.bob.name}", "comment": "Checked on staging"}
    assert run["steps"][0]["note"] == f"Approved by user:{office.bob.name}: Checked on staging"


def test_rejected_step_fails_with_the_comment_and_a_retry_asks_again(office: Office) -> None:
    run_id = office.start()
    first = office.waits(run_id)
    assert decide(office.bob, first, "reject", "Staging is degraded").json()["state"] == "rejected"
    run = office.ends(run_id)
    assert run["state"] == "failed"
    assert "was rejected by" in run["error"]["message"]
    assert run["error"]["message"].endswith("Staging is degraded")
    office.admin.post(f"/api/v1/runs/{run_id}/retry").raise_for_status()
    second = office.waits(run_id)
    assert second["id"] != first["id"]
    decide(office.bob, second, "approve").raise_for_status()
    assert office.ends(run_id)["state"] == "succeeded"


def test_who_asked_never_decides_not_even_as_admin_and_is_told_who_can(office: Office) -> None:
    run_id = office.start(office.bob, approvers=[office.group, f"user:{office.ada.name}"])
    approval = office.waits(run_id)
    answer = decide(office.bob, approval, "approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "approvals.own_request")
    assert f"{office.ada.name} (user)" in answer.json()["detail"]
    seen = office.bob.browser.get(f"/api/v1/approvals/{approval['id']}", headers=JSON).json()
    assert seen["may_decide"] is False
    assert decide(office.ada, approval, "approve").status_code == 200
    office.ends(run_id)


def test_without_four_eyes_who_asked_may_decide(office: Office) -> None:
    run_id = office.start(office.bob, is_four_eyes=False)
    assert decide(office.bob, office.waits(run_id), "approve").status_code == 200
    office.ends(run_id)


def test_others_may_not_decide_and_admins_may(office: Office) -> None:
    approval = office.waits(office.start())
    answer = decide(office.carl, approval, "approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "approvals.not_an_approver")
    assert "(group) or an admin" in answer.json()["detail"]
    assert office.admin.post(f"/api/v1/approvals/{approval['id']}/approve").status_code == 200
    assert office.server.client().get("/api/v1/approvals").status_code == 401


def test_second_decision_is_a_conflict_that_names_who_decided(office: Office) -> None:
    approval = office.waits(office.start())
    decide(office.bob, approval, "approve").raise_for_status()
    answer = office.admin.post(f"/api/v1/approvals/{approval['id']}/reject", json={"comment": "too late"})
    assert (answer.status_code, answer.json()["code"]) == (409, "approvals.already_decided")
    assert f"by user:{office.bob.name}" in answer.json()["detail"]


def test_mine_lists_what_one_can_decide_and_the_inbox_counts_it(office: Office) -> None:
    approval = office.waits(office.start())

    def mine(person: Any, **narrowed: str) -> set[str]:
        items = person.get("/api/v1/approvals", params={"mine": True, **narrowed}, headers=JSON).json()["items"]
        return {item["id"] for item in items}

    assert approval["id"] in mine(office.bob.browser)
    assert mine(office.bob.browser, run=approval["run_id"]) == {approval["id"]}
    assert mine(office.bob.browser, subject="component:default/another") == set()
    assert approval["id"] not in mine(office.ada.browser)
    assert approval["id"] not in mine(office.carl.browser)
    page = office.bob.browser.get("/approvals").text
    assert approval["title"] in page
    assert "Waiting for you" in page
    assert "Nothing waits for you" in office.carl.browser.get("/approvals").text
    decide(office.bob, approval, "approve").raise_for_status()
    assert approval["title"] in office.carl.browser.get("/approvals?view=decided").text


def test_mine_is_listed_in_pages(office: Office) -> None:
    waiting = [office.waits(office.start())["id"] for _ in range(3)]
    found: list[str] = []
    cursor = None
    while True:
        params = {"mine": True, "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = office.bob.browser.get("/api/v1/approvals", params=params, headers=JSON).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found))
    assert [one for one in found if one in waiting] == waiting[::-1]


def test_page_and_run_page_offer_the_decision_to_those_who_may(office: Office) -> None:
    run_id = office.start()
    approval = office.waits(run_id)
    for path in (f"/runs/{run_id}", f"/approvals/{approval['id']}"):
        assert f'action="/approvals/{approval["id"]}/decide' in office.bob.browser.get(path).text
        others = office.carl.browser.get(path).text
        assert "You cannot decide" in others
        assert "/decide" not in others
    form = {"decision": "approve", "note": "Fine"}
    answer = office.bob.browser.post(f"/approvals/{approval['id']}/decide?back=run", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run_id}")
    assert office.ends(run_id)["state"] == "succeeded"
    page = office.bob.browser.get(f"/approvals/{approval['id']}").text
    assert "Fine" in page
    assert "<form" not in page.split("<main")[1].split("</main")[0]


def test_reminder_comes_after_half_of_the_time_on_home_and_in_the_log(office: Office) -> None:
    run_id = office.start(expires_in_hours=2)
    approval = office.waits(run_id)
    office.server.run(tend(office.server.services))
    assert office.admin.get(f"/api/v1/approvals/{approval['id']}").json()["reminded_at"] is None
    change(office.server, approval, remind_at=now() - timedelta(seconds=1))
    office.server.run(tend(office.server.services))
    assert office.admin.get(f"/api/v1/approvals/{approval['id']}").json()["reminded_at"] is not None
    log = office.admin.get(f"/api/v1/runs/{run_id}/steps/ask/log").json()["lines"]
    assert "Half of the time is over" in log[-1]["text"]
    decide(office.bob, approval, "approve").raise_for_status()
    office.ends(run_id)


def test_nobody_decides_in_time_and_the_step_fails(office: Office) -> None:
    run_id = office.start(expires_in_hours=1)
    approval = office.waits(run_id)
    change(office.server, approval, expires_at=now() - timedelta(seconds=1))
    answer = decide(office.bob, approval, "approve")
    assert (answer.status_code, answer.json()["code"]) == (410, "approvals.approval_expired")
    office.server.run(tend(office.server.services))
    run = office.ends(run_id)
    assert (run["state"], "in time" in run["error"]["message"]) == ("failed", True)
    assert office.admin.get(f"/api/v1/approvals/{approval['id']}").json()["state"] == "expired"


def test_step_that_is_resumed_by_its_own_end_of_waiting_fails_as_well(office: Office) -> None:
    run = office.ends(office.start(expires_in_hours=0.0001))
    assert run["error"]["code"] == "runs.step_failed"
    assert "in time" in run["error"]["message"]


def test_cancelled_run_withdraws_its_question(office: Office) -> None:
    run_id = office.start()
    approval = office.waits(run_id)
    office.admin.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    office.ends(run_id)

    async def state() -> str:
        async with office.server.database.read() as session:
            found = await find_approval(session, UUID(approval["id"]))
            assert found is not None
            return found.state

    while office.server.run(state()) == "waiting":  # the event that tells of the run's end is on its way
        pass
    assert office.server.run(state()) == "withdrawn"
    answer = decide(office.bob, approval, "approve")
    assert (answer.status_code, "has ended" in answer.json()["detail"]) == (409, True)


def test_asking_and_deciding_are_audited(office: Office) -> None:
    approval = office.waits(office.start())
    decide(office.bob, approval, "approve", "Fine").raise_for_status()
    entries = office.admin.get("/api/v1/audit", params={"subject": f"approval:{approval['id']}"}).json()["items"]
    assert [(entry["action"], entry["actor"]) for entry in entries] == [
        ("approvals.approval_approved", f"user:{office.bob.name}"),
        ("approvals.approval_asked", f"user:{office.ada.name}"),
    ]
    assert entries[0]["detail"]["comment"] == "Fine"


def test_approver_that_is_neither_user_nor_group_is_refused(office: Office) -> None:
    run = office.ends(office.start(approvers=["component:default/orders"]))
    assert run["error"]["code"] == "approvals.invalid_approvers"
    assert "it is a component" in run["error"]["message"]


def test_same_key_asks_once(office: Office) -> None:
    async def ask(key: str) -> tuple[UUID, ApprovalState]:
        async with office.server.database.write() as session:
            wish = ApprovalWish(key, "Delete a database", "resource:shop/db", (office.group,))
            approval = await ask_approval(session, system_actor("tests"), wish)
            return approval.id, approval.state

    key = new_name("key")
    assert office.server.run(ask(key)) == office.server.run(ask(key))


def test_command_line_lists_approves_and_rejects(office: Office) -> None:
    process = RoadbedProcess(office.server.home, url=office.server.base_url)
    roadbed = partial(process.run, "approvals", token=office.server.token())
    runs = [office.start() for _ in range(2)]
    first, second = (office.waits(run_id)["id"] for run_id in runs)
    listed = roadbed("list", "--mine", "-o", "name").stdout.split()
    assert {first, second} <= set(listed)
    assert roadbed("approve", first, "--comment", "Go").returncode == 0
    assert roadbed("reject", second, "-m", "Not today").returncode == 0
    again = roadbed("approve", second)
    assert again.returncode == 1
    assert "was rejected already" in again.stderr
    assert roadbed("approve", "01a20a58-9ccd-734d-b6d3-08a868fee990").returncode == 4
    assert [office.ends(run_id)["state"] for run_id in runs] == ["succeeded", "failed"]


def test_unknown_approval_is_not_found(office: Office) -> None:
    answer = office.admin.get("/approvals/01a20a58-9ccd-734d-b6d3-08a868fee990", headers=PAGE)
    assert answer.status_code == 404
    assert "There is no approval" in answer.text
