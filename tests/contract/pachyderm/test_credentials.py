"""Credentials are files that change while the operator runs: a Secret is rotated, a certificate renewed."""

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spout_operator.config import PachdAddress
from spout_operator.core.errors import Retryable, Stalled, Unreachable
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import Side
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.base import MemoryServer
from tests.memory_pachd.two import MemoryPachd2


def test_a_token_is_sent_and_read_again_when_it_changed(memory_side: Side, pachd: MemoryServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    port = memory_side.connect(token_file=file)

    file.write_text("first\n")
    port.list()
    assert pachd.metadata["authn-token"] == "first"

    file.write_text("second\n")
    port.list()
    assert pachd.metadata["authn-token"] == "second"


def test_without_a_token_file_no_token_is_sent(memory_side: Side, pachd: MemoryServer) -> None:
    memory_side.port.list()

    assert "authn-token" not in pachd.metadata


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((b"first\nsecond\n", "holds 2 lines"), id="two-lines"),
        pytest.param((b"\xef\xbb\xbffirst\n", "begins with a byte order mark"), id="byte-order-mark"),
        pytest.param(("fürst\n".encode(), "holds letters outside ASCII"), id="no-ascii"),
        pytest.param((b"\xff\xfe", "begins with a byte order mark"), id="no-text"),
        pytest.param((b"", "is empty"), id="nothing"),
    ],
)
def test_a_malformed_token_never_reaches_grpc_and_a_corrected_one_does(
    memory_side: Side,
    pachd: MemoryServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    bad: tuple[bytes, str],
) -> None:
    content, says = bad
    file = tmp_path / "token"
    file.write_text("good\n")
    port = memory_side.connect(token_file=file)
    port.list()
    file.write_bytes(content)

    with pytest.raises(Stalled, match=f"{file} {says}") as caught:
        port.list()

    assert caught.value.reason is Reason.UNAUTHORIZED
    assert pachd.calls["ListPipeline"] == 1
    assert capfd.readouterr().err == "", "gRPC would complain there"
    file.write_text("mended\n")
    port.list()
    assert pachd.metadata["authn-token"] == "mended"


@pytest.mark.parametrize("field", ["token_file", "ca_file"])
def test_a_credentials_file_that_is_missing_for_a_moment_is_retryable(
    memory_side: Side, tmp_path: Path, field: str
) -> None:
    """A file is missing for a moment while its Secret is rotated."""
    missing = tmp_path / "missing"
    port = memory_side.connect(**{field: missing})

    with pytest.raises(Retryable, match=str(missing)) as caught:
        port.list()

    assert caught.value.reason is Reason.PACHYDERM_ERROR


def test_a_ca_file_without_a_certificate_is_stalled_and_opens_no_connection(
    memory_side: Side, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("no certificate")
    port = memory_side.connect(pachd=PachdAddress.parse("grpcs://127.0.0.1:1"), ca_file=authority)

    with pytest.raises(Stalled, match=f"{authority} holds no certificate") as caught:
        port.server()

    assert caught.value.reason is Reason.UNAUTHORIZED
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("variable", ["PACH_PYTHON_AUTH_TOKEN", "PACH_PYTHON_OIDC_TOKEN"])
def test_a_token_in_the_environment_is_not_sent(
    memory_side: Side, pachd: MemoryServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "somebody-elses")

    memory_side.connect().list()

    assert "authn-token" not in pachd.metadata
    assert set(pachd.calls) == {"ListPipeline"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Certificate:
    """A self-signed certificate."""

    key: bytes
    pem: bytes


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate]:
    openssl = shutil.which("openssl")
    assert openssl is not None, "these tests make certificates: install openssl"
    made = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("certificate")
        key, pem = folder / "key.pem", folder / "certificate.pem"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]
        subject = ["-subj", "/CN=pachd", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(  # noqa: S603 - fixed arguments
            [openssl, "req", "-x509", *new_key, *subject, "-days", "2", "-out", str(pem)],
            check=True,
            capture_output=True,
        )
        made.append(Certificate(key=key.read_bytes(), pem=pem.read_bytes()))
    return made[0], made[1]


@pytest.fixture
def tls_pachd(pachd: MemoryServer, certificates: tuple[Certificate, Certificate]) -> Iterator[MemoryServer]:
    """A server of the same major version as `memory_side`, with the first certificate."""
    ours, _ = certificates
    kind = MemoryPachd2 if isinstance(pachd, MemoryPachd2) else MemoryPachd
    with kind(tls=(ours.key, ours.pem)) as started:
        yield started


def test_a_changed_ca_file_is_used_for_the_next_tls_connection(
    memory_side: Side, tls_pachd: MemoryServer, certificates: tuple[Certificate, Certificate], tmp_path: Path
) -> None:
    ours, another = certificates
    authority = tmp_path / "ca.crt"
    authority.write_bytes(another.pem)
    port = memory_side.connect(pachd=PachdAddress.parse(tls_pachd.address), ca_file=authority)
    with pytest.raises(Unreachable):
        port.server()

    authority.write_bytes(ours.pem)

    assert port.server().version == memory_side.version
    assert port.server().address == tls_pachd.address


def test_a_token_is_sent_over_tls(
    memory_side: Side, tls_pachd: MemoryServer, certificates: tuple[Certificate, Certificate], tmp_path: Path
) -> None:
    authority, token = tmp_path / "ca.crt", tmp_path / "token"
    authority.write_bytes(certificates[0].pem)
    token.write_text("secret\n")

    address = PachdAddress.parse(tls_pachd.address)
    memory_side.connect(pachd=address, ca_file=authority, token_file=token).list()

    assert tls_pachd.metadata["authn-token"] == "secret"
