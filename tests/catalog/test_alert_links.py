"""The annotation for alerts leads from an entity to the file that holds their rules."""

from tests.catalog.conftest import Place, component
from tests.catalog.own import Own
from tests.catalog.test_pages import page
from tests.support import RunningServer


def test_entity_leads_to_the_rules_of_its_alerts(place: Place, server: RunningServer) -> None:
    own = Own(server, "alerts")
    values = {"alerts-of": "../ops/alerts.yaml", "alerts-out": "../../x.yaml", "alerts-odd": "javascript:alert(1)"}
    files = {
        f"catalog/{name}.yaml": component(name).replace(
            "spec:", f'  annotations: {{roadbed.dev/alerts: "{value}"}}\nspec:'
        )
        for name, value in values.items()
    }
    own.commit(files | {"ops/alerts.yaml": "groups: [{name: alerts-of, rules: [{alert: HighLatency}]}]\n"})
    place.register_target("git", f"{own.url}#main:catalog/*.yaml")
    found = {name: place.get(f"component:default/{name}").json()["implied_links"] for name in values}
    assert [found["alerts-out"], found["alerts-odd"]] == [[], []]
    (link,) = found["alerts-of"]
    assert (link["title"], link["annotation"]) == ("Alert rules", "roadbed.dev/alerts")
    assert f'href="{link["url"]}"' in page(place.api, "/catalog/component/default/alerts-of")
    assert "HighLatency" in page(place.api, link["url"])
