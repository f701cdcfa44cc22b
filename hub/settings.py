"""The settings of a deployment: environment variables with the prefix `HUB_`, and what follows from them."""

from __future__ import annotations

import os
import re
import stat
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.errors import HubError

DEMONSTRATION = Path(__file__).resolve().parent.parent / "demo" / "sources"
"""Where the demonstration keeps its departments' folders: the default of `HUB_SOURCES`."""

CONNECTION_PREFIX = "HUB_CONN_"


class SettingError(HubError):
    """A setting of this deployment is missing or unreadable; the message says how to set it."""

    exit_status = 78


class Settings(BaseSettings):
    """What a deployment chose; made by `Settings.load()`, handed on, never kept in a global.

    Each field is read from the variable `HUB_<FIELD>`; docs/operate/ explains them one by one.
    """

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Path(".hub")
    """Folder of everything that the hub keeps outside a real server: embedded database, keys, archive."""
    sources: Annotated[tuple[Path, ...], NoDecode] = (DEMONSTRATION,)
    """Folders of source folders, separated like PATH."""
    database_url: SecretStr | None = None
    """A real PostgreSQL server (15 or newer); None means the embedded one in `home`."""
    archive_url: str | None = None
    """An fsspec URL; None means `home`/archive."""
    keys: SecretStr | None = None
    """The key ring itself as JSON, from a secret store; wins over `key_file`."""
    key_file: Path | None = None
    """The file of the key ring; None means `home`/keys/keys.json, which only the embedded default may make."""
    cipher: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"
    """What new values are sealed with: aes-256-gcm, or sm4-gcm (GB/T 32907); what is sealed opens under either."""
    lineage_url: SecretStr | None = None
    """Where Airflow sends OpenLineage events; None means that nobody is told."""
    alert_urls: SecretStr | None = None
    """Where alerts go: Apprise URLs separated by blanks, each as `URL` or `ORGAN,ORGAN=URL`; None tells nobody."""
    slice_size: int = Field(default=20_000, ge=1, le=1_000_000)
    """How many records at most make one batch, which is one transaction."""

    push_linger: float = Field(default=0.5, ge=0, le=10)
    """Seconds that a post waits for others, to be committed with them as one batch."""
    push_rate: float = Field(default=50, ge=0)
    """Requests a second that each client may post, in each process of the API; 0 bounds nothing."""
    push_memory: int = Field(default=64, ge=1)
    """MiB of bodies that may be held at once, in each process of the API."""
    push_body_seconds: float = Field(default=60, gt=0, le=3600)
    """Seconds within which the body of a post must have come."""
    push_key_days: int = Field(default=7, ge=1, le=366)
    """Days that the answer to a post is kept under its idempotency key."""

    check_rate: float = Field(default=200, ge=0)
    """Checks a second that each client may ask, in each process of the API; 0 bounds nothing."""
    check_threads: int = Field(default=4, ge=1, le=64)
    """Checks that each process of the API answers at once; each takes a connection to the database."""
    check_token_minutes: int = Field(default=10, ge=1, le=60)
    """Minutes that an access token for checks is good for."""
    check_seal_seconds: float = Field(default=60, gt=0, le=3600)
    """Seconds between two seals of the log of checks."""
    check_unsealed_minutes: float = Field(default=60, gt=0, le=10_080)
    """Minutes that an entry of the log may stay unsealed; after that new checks are refused."""
    check_digest: Literal["sha-256", "sm3"] = "sha-256"
    """The digest of commitments in receipts: sha-256, or sm3 (GB/T 32905)."""
    check_inquiry_days: int = Field(default=5, ge=1, le=60)
    """Working days within which an officer of the issuing department answers what no feed can tell."""
    check_live_a_minute: int = Field(default=10, ge=0, le=600)
    """How often each source may be asked live for one credential in a minute, by all together; 0: never."""
    check_live_seconds: float = Field(default=10, gt=0, le=20)
    """Seconds that a department's system has for answering a live question."""
    notice_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Private networks into which notices may be posted, separated by commas; none by default."""

    sms_gateway: Path | None = None
    """The file that describes the SMS gateway of supervision's notices; None: none."""
    sms_secret: SecretStr | None = None
    """What stands for {secret} in that file."""
    sms_receipt_secret: SecretStr | None = None
    """The password with which the gateway reports receipts to the hub; None: it cannot."""
    notice_urls: SecretStr | None = None
    """Ways of supervision's notices through Apprise, separated by blanks: with {phone} or {mail}, or a group's."""
    notice_quiet: str = "21:00-08:00"
    """When nobody is told, by the clock of the province; `none`: never."""
    notice_quiet_through: Annotated[tuple[Literal["warning", "yellow", "red"], ...], NoDecode] = ()
    """Levels of cards that are told in quiet hours, too; separated by commas."""
    notice_doubt: Literal["hold", "again"] = "hold"
    """A text of which nobody can say whether it went out: a person decides, or it is sent again."""
    notice_keep_days: int = Field(default=90, ge=1, le=3650)
    """Days after which the phone of an ended notice is forgotten; its log stays."""

    freeze_day: int = Field(default=5, ge=1, le=28)
    """The day of the month from which on the inputs of the month before are frozen for the appraisal."""
    appraisal_formula: str = "full/v1"
    """The formula under which they are frozen: one of the hub, or a file."""

    web_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+$")
    """The address by which people reach the pages, without a path; None: the one that a request names."""
    web_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses of proxies in front, whose X-Forwarded-For is believed; separated by commas."""
    session_idle_minutes: int = Field(default=30, ge=1, le=1440)
    """Minutes without a request after which a person must sign in again."""
    session_hours: int = Field(default=12, ge=1, le=168)
    """Hours after which a person must sign in again in any case."""
    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """The OpenID provider whose persons may sign in; None: local accounts only."""
    oidc_client_id: str | None = None
    """The hub's client id at the provider."""
    oidc_client_secret: SecretStr | None = None
    """The hub's client secret at the provider."""
    oidc_scope: str = "openid profile"
    """The scopes that the provider is asked for."""
    oidc_roles_claim: str = "roles"
    """The claim of the ID token that names a person's groups; dots lead into objects."""
    oidc_roles: dict[str, str] = Field(default_factory=dict)
    """Which group means which role of the hub, as a JSON object."""
    oidc_organ_claim: str = "organ"
    """The claim that names a department steward's organ."""
    oidc_region_claim: str = "region"
    """The claim that names the region of a supervisor of a city or county."""

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Read the settings from the environment, `overrides` first.

        Raises:
            SettingError: a value is unreadable; every fault is listed, values are not shown.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            faults = [f"HUB_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
            raise SettingError("settings are unreadable:\n" + "\n".join(sorted(faults))) from None

    @field_validator("home", "key_file", "sms_gateway")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("sources", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value
        return tuple(Path(part).expanduser().absolute() for part in parts)

    @field_validator("web_proxies", "notice_quiet_through", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("notice_networks", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        try:
            return tuple(ip_network(one.strip()) for one in value.split(",")) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("write networks such as 10.0.0.0/8 or fd00::/8, separated by commas") from None

    @property
    def embedded(self) -> bool:
        """Say whether the hub runs its own PostgreSQL in `home`."""
        return self.database_url is None

    @property
    def archive_location(self) -> str:
        """Return where the archive lies: a URL, or a local path."""
        return self.archive_url or str(self.home / "archive")

    @property
    def default_key_file(self) -> Path:
        """Return the key file that the embedded default makes on first use."""
        return self.home / "keys" / "keys.json"

    def connection(self, connection_id: str) -> str:
        """Return the URL of a connection id, from `HUB_CONN_<ID>`.

        Raises:
            SettingError: it is not set; the message names the variable and the connections that are.
        """
        name = CONNECTION_PREFIX + re.sub(r"[^A-Z0-9]", "_", connection_id.upper())
        url = os.environ.get(name, "")
        if url:
            return url
        known = sorted(found for found in os.environ if found.startswith(CONNECTION_PREFIX))
        raise SettingError(
            f"connection {connection_id!r}: looked for the environment variable {name}, which is not set "
            f"(set are: {', '.join(known) or 'none'}). Set it to the URL of the department's system, for example "
            f"{name}=postgresql://reader:password@host:5432/database; under Airflow, make a connection of this id."
        )

    def make_home(self) -> Path:
        """Make the home folder, closed to others, and return it; one that exists keeps its rights."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.home


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters (0700), or close one that stands open, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != stat.S_IRWXU:
        path.chmod(stat.S_IRWXU)
    return path
