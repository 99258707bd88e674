"""Which server the command line speaks to, and as whom: options, then the environment, then `roadbed login`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import platformdirs
import typer

from roadbed.cli.output import Format
from roadbed.client import Client

DEFAULT_URL = "http://127.0.0.1:8400"


@dataclass(frozen=True)
class Login:
    """What `roadbed login` keeps."""

    url: str
    token: str


def login_file() -> Path:
    return Path(platformdirs.user_config_dir("roadbed")) / "login.json"


def read_login() -> Login | None:
    try:
        values = json.loads(login_file().read_text())
    except FileNotFoundError:
        return None
    return Login(values["url"], values["token"])


def write_login(login: Login) -> Path:
    """Keep the login for this account of the operating system only."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": login.url, "token": login.token}, file)
    return path


def connect(url: str | None = None) -> Client:
    """Return a client for the server that options, environment or the last login name."""
    login = read_login()
    chosen = url or os.environ.get("ROADBED_URL") or (login.url if login else DEFAULT_URL)
    token = os.environ.get("ROADBED_TOKEN") or (login.token if login and login.url == chosen else None)
    return Client(chosen, token)


def id_argument(noun: str, *, listed_by: str) -> Any:
    """Return the argument that names a thing by its id; what is none is refused before anything is sent.

    Args:
        noun: what it is: "run".
        listed_by: the command that shows ids.
    """

    def read(text: str) -> str:
        try:
            return str(UUID(text))
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is no id. `{listed_by}` shows the ids.") from error

    return typer.Argument(help=f"The {noun}'s id.", metavar=noun.upper(), parser=read)


def entity_path(ref: str) -> str:
    """Return the path of an entity under `/api/v1`, from KIND:[NAMESPACE/]NAME."""
    kind, colon, rest = ref.partition(":")
    namespace, _, name = rest.rpartition("/")
    if not (kind and colon and name):
        raise typer.BadParameter(f"{ref!r} names no entity; write it like component:default/orders.")
    return f"/entities/{kind}/{namespace or 'default'}/{name}"


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print it.", show_default=True)]
Url = Annotated[str | None, typer.Option("--url", help="The server's address. [env: ROADBED_URL]", show_default=False)]
