"""An entity whose file is only read: what others change there while somebody edits it is shown beside their own."""

import httpx

from tests.catalog.conftest import Place, component
from tests.catalog.test_proposals import HTML, field


def test_change_of_others_in_a_file_that_is_only_read_is_shown_beside_ones_own(place: Place, api: httpx.Client) -> None:
    path, source = "/catalog/component/default/else-disk/edit", "/api/v1/entities/component/default/else-disk/source"
    place.write(a=component("else-first") + component("else-disk", owner="else-mine"))
    place.register()
    beside = component("else-first", lifecycle="retired")
    page = api.get(path, headers=HTML).text
    seen = {name: field(page, name).replace("\n", "\r\n") for name in ("~base", "~seen")}  # as browsers send lines
    answers = {"spec.type": "service", "spec.lifecycle": "deprecated", "spec.owner": "else-mine"}
    place.write(a=beside + component("else-disk", owner="else-mine"))
    untouched = api.post(path, data=seen | answers, headers=HTML)
    assert untouched.status_code == 200, untouched.text
    assert "What was changed meanwhile" not in untouched.text
    base = api.get(source).json()["commit"]
    mine = component("else-disk", owner="else-mine", lifecycle="deprecated")
    place.write(a=beside + component("else-disk", owner="else-theirs"))
    for changed in (
        api.post(path, data=seen | answers, headers=HTML),
        api.post(f"{path}/text", data=seen | {"text": mine}, headers=HTML),
        api.post(f"{path}/file", data=seen | {"text": mine}, headers=HTML),
    ):
        meanwhile, _, own = changed.text.partition("What you would change")
        assert "What was changed meanwhile" in meanwhile
        assert "owner: else-theirs" in meanwhile
        assert "lifecycle: deprecated" in own
    assert changed.status_code == 409
    now = {name: field(changed.text, name) for name in ("~base", "~seen")}
    settled = api.post(f"{path}/file", data=now | {"text": mine}, headers=HTML)
    assert settled.text == beside + mine
    check = "/api/v1/entities/component/default/else-disk/proposals/check"
    refused = api.post(check, json={"text": mine, "base": base})
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.source_changed")
    assert "else-theirs" in refused.json()["context"]["now"]
    assert api.post(check, json={"text": mine, "base": refused.json()["context"]["base"]}).status_code == 200
    forged = api.post(path, data=seen | answers | {"~seen": "kind: [}"}, headers=HTML)
    assert forged.status_code == 409
