"""Reading locations, through the API and in real runs."""

from pathlib import Path

import httpx
import pytest

from tests.catalog.conftest import Place, component, group, location


def test_files_of_a_glob_become_entities(place: Place) -> None:
    place.write(a=component("ing-a1") + component("ing-a2", system="shop"), deep__b=component("ing-b"))
    run = place.register("**/*.yaml")
    assert run["state"] == "succeeded"
    assert run["steps"][0]["output"]["created"] == 3
    answer = place.get("component:default/ing-a2").json()
    assert answer["source"] == {"location_id": place.id, "is_built_in": False, "file": "a.yaml", "line": 11}
    assert {"type": "partOf", "target": "system:default/shop", "found": False} in answer["relations"]
    assert answer["metadata"]["annotations"]["backstage.io/managed-by-location"] == f"file:{place.folder}/a.yaml"
    assert place.location()["entities"] == 3


def test_unchanged_content_writes_nothing(place: Place) -> None:
    place.write(a=component("same-1") + component("same-2"))
    place.register()
    before = place.get("component:default/same-1").json()
    history = place.api.get("/api/v1/entities/component/default/same-1/history").json()["items"]
    run = place.refresh()
    assert run["steps"][0]["output"]["unchanged"] == 2
    assert run["steps"][0]["output"]["created"] == 0
    assert place.get("component:default/same-1").json() == before
    assert place.api.get("/api/v1/entities/component/default/same-1/history").json()["items"] == history


def test_touched_file_with_a_moved_entity_keeps_its_history(place: Place) -> None:
    place.write(a=component("moved"))
    place.register()
    place.write(a="# a comment more\n" + component("moved"))
    place.refresh()
    assert place.get("component:default/moved").json()["source"]["line"] == 3
    assert len(place.api.get("/api/v1/entities/component/default/moved/history").json()["items"]) == 1


def test_change_is_written_with_its_position_and_digest(place: Place) -> None:
    place.write(a=component("changing"))
    place.register()
    etag = place.get("component:default/changing").headers["etag"]
    place.write(a=component("changing", lifecycle="deprecated"))
    run = place.refresh()
    assert run["steps"][0]["output"]["updated"] == 1
    answer = place.get("component:default/changing")
    assert answer.json()["spec"]["lifecycle"] == "deprecated"
    assert answer.headers["etag"] != etag
    newest, first = place.api.get("/api/v1/entities/component/default/changing/history").json()["items"]
    assert (first["change"], newest["change"]) == ("created", "updated")
    assert newest["position"] > first["position"]
    assert newest["run_id"] == place.run_id


def test_vanished_entity_becomes_an_orphan_and_keeps_its_uid_when_it_returns(place: Place) -> None:
    place.write(a=component("gone-1"), b=component("gone-2"))
    place.register()
    uid = place.get("component:default/gone-2").json()["uid"]
    (place.folder / "b.yaml").unlink()
    assert place.refresh()["steps"][0]["output"]["orphaned"] == 1
    assert place.get("component:default/gone-2").json()["orphaned_at"]
    orphans = place.api.get("/api/v1/entities", params={"orphan": True, "location": place.id}).json()
    assert [item["ref"] for item in orphans["items"]] == ["component:default/gone-2"]
    place.write(b=component("gone-2"))
    assert place.refresh()["steps"][0]["output"]["restored"] == 1
    answer = place.get("component:default/gone-2").json()
    assert (answer["uid"], answer["orphaned_at"]) == (uid, None)


def test_errors_name_file_and_line_and_never_stop_the_rest(place: Place) -> None:
    place.write(
        good=component("err-good"),
        mixed=component("err-first") + component("err-bad").replace("lifecycle", "lifecyle") + component("err-last"),
        broken="apiVersion: [\n---\n" + component("err-after"),
    )
    run = place.register()
    assert run["state"] == "succeeded"
    assert run["steps"][0]["output"]["created"] == 4
    assert run["steps"][0]["output"]["errors"] == 2
    problems = {problem["file"]: problem for problem in place.problems()}
    assert problems["mixed.yaml"]["line"] == 17
    assert problems["mixed.yaml"]["reason"] == "spec.lifecycle is missing."
    assert "did you mean lifecycle" in problems["mixed.yaml"]["hint"]
    assert problems["mixed.yaml"]["ref"] == "component:default/err-bad"
    assert "cannot be read" in problems["broken.yaml"]["reason"]
    assert place.get("component:default/err-last").status_code == 200
    log = place.api.get(f"/api/v1/runs/{place.run_id}/steps/read/log").text
    assert "mixed.yaml:17" in log


def test_entity_that_becomes_faulty_keeps_its_last_good_state(place: Place) -> None:
    place.write(a=component("faulty-1") + component("faulty-2"))
    place.register()
    place.write(a=component("faulty-1", owner="''") + component("faulty-2", lifecycle="deprecated"))
    place.refresh()
    faulty = place.get("component:default/faulty-1").json()
    assert faulty["spec"]["owner"] == "team-none"
    assert faulty["orphaned_at"] is None
    assert faulty["problems"][0]["reason"] == "spec.owner is empty."
    assert place.get("component:default/faulty-2").json()["spec"]["lifecycle"] == "deprecated"
    place.write(a="a: [\n")
    place.refresh()
    assert place.get("component:default/faulty-2").json()["orphaned_at"] is None


def test_mended_file_loses_its_errors(place: Place) -> None:
    place.write(a=component("mended", owner="''"))
    place.register()
    assert place.location()["errors"] == 1
    place.write(a=component("mended"))
    place.refresh()
    assert place.problems() == []


def test_errors_of_unchanged_files_stay(place: Place) -> None:
    place.write(a=component("stays-bad", owner="''"), b=component("stays-good"))
    place.register()
    place.write(b=component("stays-good", lifecycle="deprecated"))
    place.refresh()
    assert place.location()["errors"] == 1


def test_location_entities_are_followed_relative_to_their_file(place: Place) -> None:
    place.write(
        root=location("follow-root", "./team/all.yaml", "./missing.yaml", "../outside.yaml"),
        team__all=location("follow-team", "services/*.yaml", "/root-relative.yaml", "https://example.com/x.yaml"),
        team__services__one=component("follow-one"),
        team__services__two=component("follow-two"),
    )
    place.write(**{"root-relative": component("follow-three")})
    place.register("root.yaml")
    assert place.location()["entities"] == 5
    problems = {problem["reason"]: problem for problem in place.problems()}
    assert {problem["code"] for problem in problems.values()} == {"target"}
    assert sorted(problem["severity"] for problem in problems.values()) == ["error", "warning", "warning"]
    assert "The target './missing.yaml' is not there." in problems
    assert any("'../outside.yaml' was not read: it leads outside" in reason for reason in problems)
    assert any("addresses are not followed" in reason for reason in problems)


def test_targets_of_unchanged_files_are_followed_again(place: Place) -> None:
    place.write(root=location("again-root", "./leaf.yaml"), leaf=component("again-leaf"))
    place.register("root.yaml")
    place.write(leaf=component("again-leaf", lifecycle="deprecated"))
    output = place.refresh()["steps"][0]["output"]
    assert (output["updated"], output["unchanged"], output["orphaned"]) == (1, 1, 0)


def test_optional_target_may_be_missing(place: Place) -> None:
    place.write(root=location("optional-root", "./missing.yaml") + "  presence: optional\n")
    place.register("root.yaml")
    assert place.problems() == []


def test_links_that_lead_outside_are_not_read(place: Place, other_place: Place) -> None:
    other_place.write(secret=component("linked-secret"))
    place.write(a=component("linked-a"))
    (place.folder / "link.yaml").symlink_to(other_place.folder / "secret.yaml")
    place.register()
    assert place.get("component:default/linked-secret").status_code == 404


def test_name_of_another_location_stays_with_the_first_and_passes_on_when_it_goes(
    place: Place, other_place: Place
) -> None:
    place.write(a=component("contested", lifecycle="first"))
    place.register()
    other_place.write(b=component("Contested", lifecycle="second") + component("uncontested"))
    other_place.register()
    winner = place.get("component:default/contested").json()
    assert winner["spec"]["lifecycle"] == "first"
    assert [problem["code"] for problem in winner["problems"]] == ["conflict"]
    assert "exists already, from file:" in other_place.problems()[0]["reason"]
    assert place.get("component:default/uncontested").status_code == 200
    assert place.api.delete(f"/api/v1/locations/{place.id}").status_code == 204
    other_place.refresh()
    assert place.get("component:default/contested").json()["spec"]["lifecycle"] == "second"
    assert other_place.problems() == []


def test_name_that_stands_twice_in_one_location_is_reported(place: Place) -> None:
    place.write(a=component("twice", lifecycle="one"), b=component("twice", lifecycle="two"))
    place.register()
    assert place.get("component:default/twice").json()["spec"]["lifecycle"] == "one"
    assert "exists already in a.yaml" in place.problems()[0]["reason"]


def test_cyclic_parents_of_groups_are_reported_and_the_groups_stay(place: Place) -> None:
    place.write(
        a=group("cycle-a", parent="cycle-b") + group("cycle-b", parent="cycle-c") + group("cycle-c", parent="cycle-a")
    )
    place.register()
    problems = place.problems()
    assert {problem["code"] for problem in problems} == {"cycle"}
    assert len(problems) == 3
    assert "cycle-a → group:default/cycle-b → group:default/cycle-c" in problems[0]["reason"]
    assert place.get("group:default/cycle-b").status_code == 200
    place.write(a=group("cycle-a") + group("cycle-b", parent="cycle-c") + group("cycle-c", parent="cycle-a"))
    place.refresh()
    assert place.problems() == []


def test_placeholders_are_filled_from_files_beside(place: Place) -> None:
    api = component("filled", definition="{$text: ./openapi.txt}").replace("Component", "API")
    place.write(a=api, b=component("unfilled", definition="{$text: ./nope.txt}").replace("Component", "API"))
    (place.folder / "openapi.txt").write_text("openapi: 3.1.0")
    place.register()
    assert place.get("api:default/filled").json()["spec"]["definition"] == "openapi: 3.1.0"
    assert "there is no such file" in place.problems()[0]["reason"]
    (place.folder / "openapi.txt").write_text("openapi: 3.2.0")
    place.refresh()
    assert place.get("api:default/filled").json()["spec"]["definition"] == "openapi: 3.2.0"


def test_source_that_cannot_be_read_fails_the_run_and_keeps_what_was_read(place: Place) -> None:
    place.write(a=component("kept"))
    place.register("a.yaml")
    (place.folder / "a.yaml").unlink()
    run = place.refresh()
    assert run["state"] == "failed"
    assert "No file matches a.yaml" in run["error"]["message"]
    assert "No file matches" in place.location()["error"]["message"]
    assert place.get("component:default/kept").json()["orphaned_at"] is None


def test_git_repository_is_read_at_its_newest_commit(place: Place) -> None:
    place.write(**{"catalog-info": location("git-root", "./services/*.yaml")}, services__a=component("git-a"))
    (place.folder / "services" / "evil.yaml").symlink_to("/etc/passwd")
    first = place.commit()
    run = place.register_target("git", f"file://{place.folder}")
    assert run["state"] == "succeeded", run["error"]
    assert run["steps"][0]["output"]["revision"] == first
    answer = place.get("component:default/git-a").json()
    assert answer["metadata"]["annotations"]["backstage.io/managed-by-location"].startswith(
        f"git:file://{place.folder}#"
    )
    place.write(services__a=component("git-a", lifecycle="deprecated"))
    second = place.commit()
    place.refresh()
    assert place.location()["revision"] == second
    history = place.api.get("/api/v1/entities/component/default/git-a/history").json()["items"]
    assert [change["revision"] for change in history] == [second, first]


def test_branch_and_path_of_a_repository_can_be_named(place: Place) -> None:
    place.write(**{"catalog-info": component("branch-main")})
    place.commit()
    place.git("checkout", "--quiet", "-b", "next")
    place.write(teams__x=component("branch-next"))
    place.commit()
    place.register_target("git", f"file://{place.folder}#next:teams/*.yaml")
    assert place.get("component:default/branch-next").status_code == 200
    assert place.get("component:default/branch-main").status_code == 404


def test_repository_that_is_not_there_says_what_git_says(place: Place) -> None:
    run = place.register_target("git", f"file://{place.folder}/nothing.git")
    assert run["state"] == "failed"
    assert "git says:" in run["error"]["message"]


def test_hooks_of_the_read_repository_are_not_run(place: Place) -> None:
    place.write(**{"catalog-info": component("hooked")})
    place.commit()
    mark = place.folder / "mark"
    hook = place.folder / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    place.register_target("git", f"file://{place.folder}")
    assert not mark.exists()


def test_location_is_registered_once(place: Place) -> None:
    place.write(a=component("once"))
    place.register()
    answer = place.api.post("/api/v1/locations", json={"type": "file", "target": f"{place.folder}/*.yaml"})
    assert answer.status_code == 409
    assert answer.json()["context"]["location_id"] == place.id


@pytest.mark.parametrize(
    ("type_", "target"),
    [
        ("file", "relative/path.yaml"),
        ("git", "ext::sh -c touch% /tmp/x"),
        ("git", "--upload-pack=/bin/sh"),
        ("git", "ssh://-oProxyCommand=x/y"),
        ("git", "https://example.com/a.git#--x"),
        ("git", "https://example.com/a.git#main:../x"),
        ("git", "/srv/repository"),
    ],
)
def test_target_that_is_none_is_refused(api: httpx.Client, type_: str, target: str) -> None:
    answer = api.post("/api/v1/locations", json={"type": type_, "target": target})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "catalog.location_invalid"


def test_developer_may_not_have_files_of_the_server_read(client_of: object, tmp_path: Path) -> None:
    assert callable(client_of)
    developer = client_of("developer")
    answer = developer.post("/api/v1/locations", json={"type": "file", "target": f"{tmp_path}/*.yaml"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "catalog.location_forbidden"
    assert developer.post("/api/v1/locations", json={"type": "git", "target": f"file://{tmp_path}"}).status_code == 403


def test_removed_location_takes_its_entities_along(place: Place) -> None:
    place.write(a=component("taken-along"))
    place.register()
    assert place.api.delete(f"/api/v1/locations/{place.id}").status_code == 204
    assert place.get("component:default/taken-along").status_code == 404
    assert place.api.get(f"/api/v1/locations/{place.id}").status_code == 404
    history = place.api.get("/api/v1/entities/component/default/taken-along/history").json()["items"]
    assert [change["change"] for change in history] == ["deleted", "created"]
