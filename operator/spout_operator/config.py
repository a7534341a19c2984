"""What the operator is told at start, checked."""

import dataclasses
import pathlib
import re
import urllib.parse

#: What a name in Kubernetes is made of.
_LABEL = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")


class CommandError(Exception):
    """A command cannot do what it was started for. Only the message is printed: it says why, and what to do."""


class ConfigError(CommandError):
    """A setting that cannot be; the message names it and says what it should be."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """All settings of `spout-operator run`; intervals in seconds, `cluster_id` None to ask the cluster."""

    pachd: "PachdAddress"
    namespaces: tuple[str, ...]
    ca_file: pathlib.Path | None
    token_file: pathlib.Path | None
    poll_interval: float
    quiet_interval: float
    status_interval: float
    show_user_log_lines: int = 0
    http_port: int
    cluster_id: str | None
    lease: "LeaseName | None"
    spout_metrics_limit: int
    policy_file: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LeaseName:
    """The Lease that the operator acts under."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "LeaseName":
        """Read `namespace/name`.

        Raises:
            ConfigError: it is something else.
        """
        namespace, _, name = text.partition("/")
        if not _LABEL.fullmatch(namespace) or not _LABEL.fullmatch(name):
            raise ConfigError(
                f"found the Lease {text!r}; expected NAMESPACE/NAME, for example spout-operator/spout-operator"
            )
        return cls(namespace=namespace, name=name)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PachdAddress:
    """Where pachd listens."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """As the user wrote it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'grpcs' if self.tls else 'grpc'}://{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "PachdAddress":
        """Read `grpc://host:port` or `grpcs://host:port`.

        Raises:
            ConfigError: it is something else.
        """
        expected = "expected grpc://HOST:PORT, or grpcs://HOST:PORT for TLS, for example grpc://pachd.pachyderm:650"
        if "@" in text:
            raise ConfigError(f"the Pachyderm address holds credentials; put the token into a file; {expected}")
        try:
            parts = urllib.parse.urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"the Pachyderm address {text!r} cannot be read ({error}); {expected}") from None
        if parts.scheme not in {"grpc", "grpcs"} or not host or not port or parts.path or parts.query or parts.fragment:
            raise ConfigError(f"found the Pachyderm address {text!r}; {expected}")
        return cls(host=host, port=port, tls=parts.scheme == "grpcs")
