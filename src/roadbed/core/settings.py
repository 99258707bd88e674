"""One tree of settings: defaults, then `roadbed.toml`, then `ROADBED_*` environment variables.

Nested values use two underscores: `ROADBED_DATABASE__URL`. Lists are written with commas, or as JSON. What is not a
setting is refused, so that a misspelt one is not silently without effect. Each field's description is its reference
text.
"""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from roadbed.core.errors import Invalid
from roadbed.core.setting_links import LinkSettings
from roadbed.core.setting_values import Address, Hosts, Networks, SecretKey, SecretKeys, Section, Words

CONFIG_FILE = "roadbed.toml"
Role = Literal["all", "web", "worker"]
PASSED_ENVIRONMENT = (
    "PIP_*",
    "UV_*",
    "NPM_CONFIG_*",
    "npm_config_*",
    "GOPROXY",
    "GOSUMDB",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


PREFIX = "ROADBED_"
# Read by the command line and by the tests, which are no part of the tree.
OTHER_VARIABLES = frozenset({"ROADBED_TOKEN", "ROADBED_URL", "ROADBED_SHARED"})
OTHER_PREFIXES = ("ROADBED_TEST_", "ROADBED_CRASH_")


class InvalidSettings(Invalid):
    code = "settings.invalid"


class DatabaseSettings(Section):
    """Where PostgreSQL is and how much of it to use."""

    url: SecretStr | None = Field(
        None,
        description="An outside PostgreSQL ≥ 15: `postgresql://user:password@host/name`. Unset: an embedded server.",
    )
    pool_size: int = Field(
        10,
        ge=2,
        le=200,
        description="Connections of this process for requests and steps. Workflows use up to 8 more.",
    )
    statement_timeout_seconds: int = Field(60, ge=1, description="A query that takes longer is ended by the database.")

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://; no other database is supported")
        return value


class HttpSettings(Section):
    """How Roadbed answers."""

    public_url: Address | None = Field(
        None,
        description="The address people use, when a proxy stands in front: `https://roadbed.example.com`.",
    )
    trusted_proxies: Networks = Field(
        default_factory=list, description="Addresses or networks whose X-Forwarded-* headers are believed."
    )
    max_request_bytes: int = Field(
        10_485_760, ge=1024, description="A larger request body is refused; git pushes have their own limit."
    )
    sign_in_attempts: int = Field(
        10, ge=1, description="Failed sign-ins allowed for one account or address in five minutes."
    )
    shutdown_seconds: int = Field(
        20, ge=1, description="How long a stop waits for requests and steps before it parks the runs."
    )


class SessionSettings(Section):
    """Sign-in."""

    hours: int = Field(12, ge=1, le=24 * 30, description="How long a browser session lasts without use.")


class SecretsSettings(Section):
    """Encryption of stored secrets."""

    key: SecretKey | None = Field(
        None,
        description="32 bytes in base64. Unset: a key file with mode 0600 is made in the home folder at first start.",
    )
    previous_keys: SecretKeys = Field(
        default_factory=list,
        description="Former keys, when the key was changed: at start, what is under them is encrypted again.",
    )
    discard_unreadable: bool = Field(
        default=False,
        description="Delete at start the secrets that no key opens, after the key was lost for good. "
        "False: Roadbed refuses to start and lists them.",
    )


class TelemetrySettings(Section):
    """Logs, metrics, traces."""

    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="The least severe level that is logged."
    )
    log_format: str = Field(
        "auto",
        pattern="^(auto|json|console)$",
        description="`auto` is console in a terminal and JSON elsewhere.",
    )
    otlp_endpoint: str | None = Field(
        None,
        description="An OTLP/HTTP endpoint for traces, `http://collector:4318`. Unset: no traces are sent.",
    )


class RunsSettings(Section):
    """Runs and their logs."""

    concurrency: int = Field(8, ge=1, le=200, description="Runs that move at the same time on this process.")
    log_bytes: int = Field(
        50_000_000,
        ge=10_000,
        description="Log output kept for one run; what exceeds it is counted and dropped.",
    )


class LocationSettings(Section):
    """A place that the catalog reads, as `POST /api/v1/locations` takes it."""

    type: str = Field(min_length=1)
    target: str = Field(min_length=1)
    allowed_kinds: list[str] | None = None
    interval_seconds: int | None = Field(None, ge=30, le=2_592_000)
    remove_orphans_after_hours: int | None = Field(None, ge=0, le=87_600)
    remove_after_missing: int | None = Field(None, ge=1, le=100_000)
    source: dict[str, Any] = Field(default_factory=dict)


class CatalogSettings(Section):
    """Where the catalog is read from, beside what people register."""

    locations: list[LocationSettings] = Field(
        default_factory=list,
        description="Places that are registered at start, each with `type` (`file`, `git`, `url`, `github`) and "
        "`target`, and what else `POST /api/v1/locations` takes; in a variable as JSON. They cannot be removed or "
        "changed elsewhere while they stand here.",
    )
    allowed_kinds: Words = Field(
        default_factory=list,
        description="The kinds that entities of locations may have, where a location does not say so itself. "
        "None given: every kind.",
    )
    links: LinkSettings = LinkSettings()


class OutboundSettings(Section):
    """Requests that Roadbed sends to addresses which users give, such as webhooks and git locations."""

    allowed_hosts: Hosts = Field(
        default_factory=list,
        description="Host names, addresses or networks (`10.0.0.0/8`) that may be called although they are private.",
    )
    timeout_seconds: float = Field(10, gt=0, le=60, description="How long an answer may take.")
    max_response_bytes: int = Field(1_048_576, ge=1024, description="A longer answer is cut off with an error.")


class ApprovalsSettings(Section):
    """Who approves."""

    own: Literal["never", "alone", "always"] = Field(
        "alone",
        description="Whether people may approve what they asked for themselves, a change request or a deployment: "
        "`alone` means while fewer than two people may approve at all.",
    )


class ScmSettings(Section):
    """The built-in git host."""

    max_push_bytes: int = Field(
        500_000_000, ge=10_000, description="A larger push is refused; also what a compressed request may unpack to."
    )
    git_timeout_seconds: int = Field(600, ge=5, description="A clone, fetch or push that takes longer is ended.")
    concurrent_transfers: int = Field(
        8, ge=1, le=200, description="Clones, fetches and pushes at the same time on this process; others wait."
    )
    required_approvals: int = Field(
        1, ge=0, le=10, description="Approvals that a change request needs before it can be merged."
    )


class DocsSettings(Section):
    """Documentation."""

    mkdocs: Path | None = Field(
        None,
        description="A virtual environment with mkdocs-techdocs-core, for sites that have a mkdocs.yml. Unset: the one "
        "in the home folder that `roadbed docs install` makes; without any, Roadbed renders them itself.",
    )


class ArtifactsSettings(Section):
    """What pipelines make."""

    max_bytes: int = Field(2_000_000_000, ge=10_000, description="A larger artifact, unpacked, is refused.")
    folder: Path | None = Field(
        None,
        description="Where stored files are; all replicas need to share it. Unset: `blobs` in the home folder.",
    )


class DeliverySettings(Section):
    """Pipelines."""

    concurrency: int = Field(2, ge=1, le=200, description="Stages that run at the same time; others wait.")
    stage_timeout_seconds: int = Field(
        1800, ge=1, description="A stage that takes longer is ended, unless its pipeline says otherwise."
    )
    output_bytes: int = Field(20_000_000, ge=10_000, description="Output kept of one command; the rest is dropped.")
    keep_failed_hours: int = Field(
        24, ge=1, description="How long the workspace of a failed run is kept, so that it can be retried."
    )
    cache_bytes: int = Field(
        5_000_000_000,
        ge=0,
        description="The caches of uv, pip, npm, mypy and Go are kept between the pipelines of one repository owner, "
        "until one is larger than this and begun anew. 0 keeps none.",
    )
    pass_environment: Words = Field(
        default_factory=lambda: list(PASSED_ENVIRONMENT),
        description="Names or globs of the server's own environment variables that commands of pipelines get: where "
        "package registries are and how they are reached.",
    )


class ReplicasSettings(Section):
    """Several processes over one outside database."""

    lease_seconds: float = Field(
        20,
        ge=2,
        le=600,
        description="How long a process may be silent until others do its work. It ends itself a little earlier.",
    )


class EnvironmentsSettings(Section):
    """Workloads that run as processes of this machine."""

    first_port: int = Field(30_000, ge=1024, le=65_000, description="The first port that workloads may get.")
    port_count: int = Field(1_000, ge=1, le=20_000, description="How many ports there are for workloads.")
    log_bytes: int = Field(
        10_000_000, ge=2_048, description="Output kept of one workload; the oldest is dropped when there is more."
    )
    ready_seconds: int = Field(60, ge=1, le=3600, description="How long a workload may take until it is ready.")
    watch_seconds: float = Field(5, gt=0, le=300, description="How often the health of workloads is looked at.")
    approval_hours: int = Field(
        168,
        ge=1,
        description="A deployment that nobody has approved after so many hours fails; approvers are reminded after "
        "half of them. `approval.expiresAfterHours` of an EnvironmentType goes before it.",
    )


class Settings(BaseSettings):
    """All settings of one Roadbed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("roadbed")),
        description="The folder for everything Roadbed stores.",
    )
    pg_bin: Path | None = Field(
        None, description="A folder with PostgreSQL ≥ 15 programs, used when the wheel's cannot be."
    )
    role: Role = Field(
        "all",
        description="What this process does: everything, only pages and API (`web`), or only runs (`worker`).",
    )
    organisation: str = Field(
        "Roadbed", min_length=1, max_length=60, description="The name shown at the foot of the navigation."
    )
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    session: SessionSettings = SessionSettings()
    secrets: SecretsSettings = SecretsSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    runs: RunsSettings = RunsSettings()
    catalog: CatalogSettings = CatalogSettings()
    outbound: OutboundSettings = OutboundSettings()
    approvals: ApprovalsSettings = ApprovalsSettings()
    scm: ScmSettings = ScmSettings()
    docs: DocsSettings = DocsSettings()
    environments: EnvironmentsSettings = EnvironmentsSettings()
    artifacts: ArtifactsSettings = ArtifactsSettings()
    delivery: DeliverySettings = DeliverySettings()
    replicas: ReplicasSettings = ReplicasSettings()

    @property
    def base_url(self) -> str:
        """The address under which people and other programs find this Roadbed, without a slash at the end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        written = f"[{host}]" if ":" in host else host
        return (self.http.public_url or f"http://{written}:{self.port}").rstrip("/")

    @property
    def mkdocs_folder(self) -> Path:
        """The virtual environment of mkdocs, whether it is there or not."""
        return self.docs.mkdocs or self.home / "docs" / "mkdocs"

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=CONFIG_FILE)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings, with command line values on top.

    Raises:
        InvalidSettings: with one problem a line, each naming the variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    unknown = [_say_unknown(name) for name in _find_unknown()]
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise _invalid([*unknown, *map(_say_fault, error.errors())]) from error
    except SettingsError as error:  # a section that is given whole, and is no JSON
        raise _invalid([*unknown, f"{error}: it must be JSON"]) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{CONFIG_FILE} cannot be read: {error}", hint="It must be valid TOML.") from error
    if unknown:
        raise _invalid(unknown)
    _check_role(settings)
    return settings


def _find_unknown() -> list[str]:
    """Return the variables that look like settings and are none. Those inside a section are found by the section."""
    known = {variable_name((name,)) for name in Settings.model_fields} | OTHER_VARIABLES
    return sorted(
        name
        for name in (variable.upper() for variable in os.environ)
        if name.startswith(PREFIX) and not name.startswith(OTHER_PREFIXES) and name.partition("__")[0] not in known
    )


def _say_unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [variable for variable, _, _ in describe(Settings.model_construct())], n=1)
    return f"{name}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _say_fault(fault: Any) -> str:
    name = variable_name(tuple(part for part in fault["loc"] if isinstance(part, str)))
    if fault["type"] == "extra_forbidden":
        return _say_unknown(name)
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"


def _invalid(problems: list[str]) -> InvalidSettings:
    return InvalidSettings(
        "The configuration is not valid.",
        hint=f"Correct the variable or its line in {CONFIG_FILE}, then run `roadbed config check`.",
        problems=problems,
    )


def _check_role(settings: Settings) -> None:
    """Refuse a replica that would not share with the others what all of them need."""
    if settings.role == "all":
        return
    shared = [
        (("database", "url"), settings.database.url, "the PostgreSQL that all processes use"),
        (("secrets", "key"), settings.secrets.key, "the key of the host, from the file secrets.key in its home folder"),
        (("artifacts", "folder"), settings.artifacts.folder, "a folder of stored files that all processes share"),
    ]
    missing = [f"{variable_name(path)}: set it to {what}" for path, value, what in shared if value is None]
    if missing:
        raise InvalidSettings(
            f"The role {settings.role} is for one of several processes, which share database, key and stored files.",
            hint="Set what is listed, for all processes alike, or leave --role and ROADBED_ROLE out.",
            problems=missing,
        )


def variable_name(location: tuple[Any, ...]) -> str:
    """Return the environment variable of a field: ("database", "url") → ROADBED_DATABASE__URL."""
    return PREFIX + "__".join(str(part) for part in location).upper()


def describe(
    settings: BaseModel, prefix: Annotated[tuple[str, ...], "path of section names"] = ()
) -> list[tuple[str, str, str]]:
    """List (variable, value, description) of each setting, with secret values masked."""
    rows: list[tuple[str, str, str]] = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            rows.extend(describe(value, (*prefix, name)))
        else:
            rows.append((variable_name((*prefix, name)), "" if value is None else str(value), field.description or ""))
    return rows
