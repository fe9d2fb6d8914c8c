"""What an operator owns per stack (`Pulumi.<stack>.yaml`), read strictly: an unknown key or a bad value is an error.

Pulumi itself ignores undeclared keys, so a misspelt retention would silently do nothing.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from agentobs.address import base_address
from agentobs.errors import AgentobsError
from collector.cost import Authority
from collector.stores import PERMISSIVE, LogKind, Stores, TraceKind
from collector.tiers import DOOR_MIB, MOST_DOOR_MIB
from stacks.deployment import Deployment
from stacks.environments import Environment, Retention
from stacks.ports import PORTS

NAMESPACE: Final = "agentobs"
_MAX_PORT: Final = 65_535
_MAPS: Final = {
    "ports": ("a map of port names to numbers", "prometheus' 19090"),
    "servicePodPorts": ("a map of services to the port of their pods", '["grafana.monitoring:80"]\' 3000'),
    "identities": ("a map of workloads to annotations", 'loki["eks.amazonaws.com/role-arn"]\' arn:aws:iam::...'),
}
"""Settings that hold a map: what is expected, and an example."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_MIN_LOGS_RETENTION: Final = Retention(24)  # Loki and VictoriaLogs refuse less


class SettingsError(AgentobsError, ValueError):
    """A setting that cannot be used; the message names the key, what was expected and the fix."""


def words(value: object) -> object:
    """A list as an operator writes it: words with commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(words)]
# The name of a service as it is sent, or of a tenant with the sign behind it that ends one in a token.
_Sender = Annotated[str, Field(pattern=r"^[\w.:/@+ -]{1,128}~?$")]


def _retention(value: object) -> Retention:
    return Retention.parse(str(value))


class CommonSettings(BaseModel):
    """The keys that every stack has, in camelCase in the stack file. Absent retention: the environment's."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=to_camel),
        arbitrary_types_allowed=True,
    )

    traces: TraceKind
    logs: LogKind
    metrics_retention: Annotated[Retention, BeforeValidator(_retention)] | None = None
    traces_retention: Annotated[Retention, BeforeValidator(_retention)] | None = None
    logs_retention: Annotated[Retention, BeforeValidator(_retention)] | None = None
    prices_file: Path | None = None
    cost_authority: Authority = Authority.TABLE
    max_request_mib: Annotated[int, Field(ge=1, le=MOST_DOOR_MIB)] = DOOR_MIB
    cut_off: Annotated[tuple[_Sender, ...], BeforeValidator(words)] = ()
    baseline_file: Path | None = None
    runbooks_url: str | None = None
    dashboards_url: str | None = None
    daily_budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    alert_speed: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 1

    def deployment(self, environment: Environment) -> Deployment:
        """The environment with the operator's choices."""
        return Deployment.of(
            environment,
            stores=Stores(traces=self.traces, logs=self.logs),
            metrics_retention=self.metrics_retention or environment.metrics_retention,
            traces_retention=self.traces_retention or environment.traces_retention,
            logs_retention=self.logs_retention or environment.logs_retention,
            prices_file=self.prices_file,
            cost_authority=self.cost_authority,
            max_request_mib=self.max_request_mib,
            cut_off=self.cut_off,
            baseline_file=self.baseline_file,
            runbooks_url=self.runbooks_url,
            dashboards_url=self.dashboards_url,
            daily_budget_usd=self.daily_budget_usd,
            alert_speed=self.alert_speed,
        )

    @field_validator("runbooks_url", "dashboards_url")
    @classmethod
    def _link(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no address; write a whole one, such as https://example.com/alerts")
        if parts.username or parts.password:
            raise ValueError("an address with a password in it would stand in files; leave the password out")
        return url

    @field_validator("prices_file", "baseline_file", "langfuse_keys_file", check_fields=False)
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        absolute = path.expanduser()
        if not absolute.is_absolute():
            raise ValueError(f"{path} is a relative path; give the whole path")
        if not absolute.is_file():
            raise ValueError(f"{path} is not a file")
        return absolute

    @field_validator("logs_retention")
    @classmethod
    def _long_enough(cls, retention: Retention | None) -> Retention | None:
        if retention is not None and retention < _MIN_LOGS_RETENTION:
            raise ValueError(f"{retention} is shorter than the {_MIN_LOGS_RETENTION} that stores of logs accept")
        return retention


class Settings(CommonSettings):
    """The keys of the stack on a person's computer."""

    traces: TraceKind = PERMISSIVE.traces
    logs: LogKind = PERMISSIVE.logs
    ports: dict[str, int] = {}
    langfuse_url: str | None = None
    langfuse_keys_file: Path | None = None
    alert_webhook: str | None = None
    dead_mans_switch_url: str | None = None

    def deployment(self, environment: Environment) -> Deployment:
        """The environment with the operator's choices."""
        return replace(
            super().deployment(environment),
            langfuse_url=self.langfuse_url,
            langfuse_keys_file=self.langfuse_keys_file,
            alert_webhook=self.alert_webhook,
            dead_mans_switch_url=self.dead_mans_switch_url,
        )

    @field_validator("langfuse_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return base_address(url, "the Langfuse URL") if url is not None else None

    @field_validator("alert_webhook", "dead_mans_switch_url")
    @classmethod
    def _told(cls, url: str | None) -> str | None:
        """Never shows the value: the addresses of webhooks hold tokens."""
        if url is None:
            return None
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        # Alertmanager takes braces for a template.
        if not safe or not parts.hostname or "@" in parts.netloc or "{" in url:
            raise ValueError(
                "this is not an address to send alerts to; expected https://... or, on this computer,"
                " http://127.0.0.1:port/..., without user and password"
            )
        return url

    @model_validator(mode="after")
    def _langfuse_is_whole(self) -> "Settings":
        if (self.langfuse_url is None) != (self.langfuse_keys_file is None):
            raise ValueError(
                "langfuseUrl and langfuseKeysFile go together; the file holds base64 of public_key:secret_key"
            )
        return self

    @field_validator("ports")
    @classmethod
    def _known_and_distinct(cls, moved: dict[str, int]) -> dict[str, int]:
        for name, number in moved.items():
            if name not in PORTS:
                raise ValueError(f"{name!r} is not a port; the ports are {', '.join(PORTS)}")
            if not 0 < number <= _MAX_PORT:
                raise ValueError(f"{name} is {number}, expected 1 to {_MAX_PORT}")
        owners: dict[int, str] = {}
        for name, number in {**PORTS, **moved}.items():
            if number in owners:
                raise ValueError(f"{name} and {owners[number]} are both {number}; give each a port of its own")
            owners[number] = name
        return moved

    def port(self, name: str) -> int:
        """The number of a named port: moved by the operator or from the table."""
        return self.ports.get(name, PORTS[name])


_Chosen = TypeVar("_Chosen", bound=CommonSettings)


def parse(raw: Mapping[str, str], stack: str) -> Settings:
    """Read all configuration of a local stack, `{"agentobs:key": text}`. Raises SettingsError for the first bad key."""
    return read(Settings, ours(raw), stack)


def ours(raw: Mapping[str, str]) -> dict[str, str]:
    """The settings of our namespace, without its name."""
    return {key.removeprefix(f"{NAMESPACE}:"): raw[key] for key in raw if key.startswith(f"{NAMESPACE}:")}


def read(model: type[_Chosen], values: Mapping[str, str], stack: str) -> _Chosen:
    """Settings of a stack. Raises SettingsError that names every bad key, one per line."""
    try:
        return model.model_validate({key: _plain(key, value, stack) for key, value in values.items()})
    except ValidationError as error:
        problems = dict.fromkeys(explain(model, each, stack) for each in error.errors(include_url=False))
        raise SettingsError("\n".join(problems)) from None


def _plain(key: str, value: str, stack: str) -> Any:  # noqa: ANN401 JSON of the stack file
    if key not in _MAPS:
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        what, path = _MAPS[key]
        raise SettingsError(
            f"{NAMESPACE}:{key} of stack {stack} is {value!r}, expected {what};"
            f" fix: pulumi config set --path '{NAMESPACE}:{key}.{path} -s {stack}"
        ) from None


def explain(model: type[CommonSettings], problem: Any, stack: str) -> str:  # noqa: ANN401 pydantic's own dict
    """One sentence for one of pydantic's problems: the key, what was expected, the fix."""
    said = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return f"settings of stack {stack}: {said}"
    key = str(problem["loc"][0])
    known = [to_camel(name) for name in model.model_fields]
    if problem["type"] == "extra_forbidden":
        guess = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {NAMESPACE}:{guess[0]}?" if guess else f"the settings are {', '.join(known)}."
        fix = f"pulumi config rm {NAMESPACE}:{key} -s {stack}"
        return f"{NAMESPACE}:{key} of stack {stack} is not a setting; {hint} Fix: {fix}"
    where = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-"))
    said = "it is missing" if problem["type"] == "missing" else said
    return f"{NAMESPACE}:{where} of stack {stack}: {said}. Fix: pulumi config set {NAMESPACE}:{key} <value> -s {stack}"
