"""With which credential GitHub is asked: a token, or that of an app's installation, which lasts an hour."""

import asyncio
from datetime import datetime, timedelta

from roadbed.catalog.contract import LocationUnreadable, Memory
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.outbound import Outbound, OutboundRequest
from roadbed.core.services import Services
from roadbed.integrations.github.rules.signatures import NoKey, sign_app_token
from roadbed.integrations.github.service.client import API_VERSION, Budget, GithubClient
from roadbed.integrations.github.types import Organisation, Wanted
from roadbed.kit.clock import now
from roadbed.secrets.contract import SecretMask, resolve

_EARLY = timedelta(minutes=5)


class Installations:
    """Tokens of installations of apps, kept until shortly before they end, and what is left of each budget."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str, str], tuple[str, datetime]] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._lock = asyncio.Lock()

    def budget(self, api_url: str, credential: str) -> Budget:
        """Return the budget of a credential, which several locations may share."""
        return self._budgets.setdefault((api_url, credential), Budget())

    async def get_token(self, services: Services, organisation: Organisation, wanted: Wanted) -> str:
        """Return a token of the app's installation in an organisation.

        Raises:
            LocationUnreadable: the app is not installed there, or GitHub refuses it.
        """
        assert wanted.app_id is not None
        key = (organisation.api_url, organisation.name.lower(), wanted.app_id)
        async with self._lock:
            token, ends_at = self._tokens.get(key, ("", now()))
            if ends_at - _EARLY <= now():
                token, ends_at = await _ask_token(services, organisation, wanted)
                services.get(SecretMask).add(token)
                self._tokens[key] = (token, ends_at)
        return token


async def authorize(services: Services, organisation: Organisation, wanted: Wanted) -> str | None:
    """Return the value of the header Authorization; None when the location has no credential.

    Raises:
        LocationUnreadable: the secret is not there, or the app gets no token.
    """
    if wanted.app_id is not None:
        return f"Bearer {await services.get(Installations).get_token(services, organisation, wanted)}"
    return None if wanted.token is None else f"Bearer {await read_secret(services, wanted.token)}"


async def read_secret(services: Services, reference: str) -> str:
    """Return the value of a secret.

    Raises:
        LocationUnreadable: there is none.
    """
    try:
        async with services.get(Database).read() as session:
            return (await resolve(session, reference)).strip()
    except RoadbedError as error:
        raise LocationUnreadable(error.message, hint=error.hint) from error


async def _ask_token(services: Services, organisation: Organisation, wanted: Wanted) -> tuple[str, datetime]:
    assert wanted.app_id is not None
    assert wanted.private_key is not None
    try:
        signed = sign_app_token(wanted.app_id, await read_secret(services, wanted.private_key), at=now())
    except NoKey as error:
        raise LocationUnreadable(
            f"GitHub cannot be asked: {error}.", hint=f"Put it as {wanted.private_key}."
        ) from error

    async def as_app() -> str:
        return f"Bearer {signed}"

    client = GithubClient(services.get(Outbound), organisation.api_url, as_app, memory=Memory({}), budget=Budget())
    installation = await client.get(f"/orgs/{organisation.name}/installation")
    if installation.status != 200:
        raise LocationUnreadable(
            f"The app {wanted.app_id} is not installed in {organisation.name}.", hint="Install it there, then refresh."
        )
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
        "Authorization": await as_app(),
    }
    url = f"{organisation.api_url}/app/installations/{int(installation.body['id'])}/access_tokens"
    made = await client.send(OutboundRequest(url, method="POST", headers=headers))
    if made.status != 201:
        raise LocationUnreadable(f"GitHub gives the app {wanted.app_id} no token.", hint="Is it suspended?")
    return str(made.body["token"]), datetime.fromisoformat(made.body["expires_at"])
