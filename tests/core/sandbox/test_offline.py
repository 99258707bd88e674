"""Commands that shall have no network."""

from pathlib import Path

import pytest

from roadbed.core.sandbox import Sandbox, SandboxFailed, SandboxSpec
from tests.core.sandbox.support import sh

pytestmark = pytest.mark.anyio


async def test_offline_command_sees_no_network_or_is_not_started(sandbox: Sandbox, workspace: Path) -> None:
    spec = SandboxSpec(workspace, is_offline=True)
    if not sandbox.isolation.mechanism.has_namespace:
        with pytest.raises(SandboxFailed, match="network"):
            await sh(sandbox, "true", spec)
        return
    outcome, output = await sh(sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1; tail -n +2 /proc/net/route", spec)
    assert outcome.is_success
    assert output.split() == ["lo"]
