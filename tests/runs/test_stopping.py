"""A stop of the server with somebody watching."""

from pathlib import Path

from roadbed.core.settings import Settings
from roadbed.kit.ids import new_id
from roadbed.runs.contract import StepPlan
from tests.runs.test_runs import start, wait_for
from tests.support import start_server


def test_live_stream_ends_when_the_server_stops(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # PostgreSQL's own account must be able to pass
    server, thread, stop = start_server(Settings(home=tmp_path / "home"))
    try:
        run = start(server, StepPlan("wait", "Wait", "test.wait", {"name": str(new_id())}))
        wait_for(server, run.id, lambda run, _: run.state == "waiting")
        with server.client_as("viewer").stream("GET", f"/api/v1/runs/{run.id}/events") as answer:
            pieces = answer.iter_bytes()
            assert b"event:" in next(pieces)
            stop()
            for _ in pieces:  # a stream that is cut off instead of ended raises here
                pass
    finally:
        stop()
        for client in server.clients:
            client.close()
        thread.join(60)
    assert not thread.is_alive()
