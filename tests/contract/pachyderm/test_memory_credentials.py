"""Credentials are files that change while the operator runs: a Secret is rotated, a certificate renewed."""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from spout_operator.core.errors import Retryable, Stalled, Unreachable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.contract.pachyderm.harness import Port, Side, connection_to
from tests.memory_pachd import MemoryPachd


def test_a_token_is_sent_and_read_again_when_it_changed(memory_side: Side, pachd: MemoryPachd, tmp_path: Path) -> None:
    file = tmp_path / "token"
    port = Port(PachydermV1(dataclasses.replace(memory_side.connection, token_file=file)))

    file.write_text("first\n")
    port.list()
    assert pachd.metadata["authn-token"] == "first"

    file.write_text("second\n")
    port.list()
    assert pachd.metadata["authn-token"] == "second"


def test_without_a_token_file_no_token_is_sent(memory_side: Side, pachd: MemoryPachd) -> None:
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
    pachd: MemoryPachd,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    bad: tuple[bytes, str],
) -> None:
    content, says = bad
    file = tmp_path / "token"
    file.write_text("good\n")
    port = Port(PachydermV1(dataclasses.replace(memory_side.connection, token_file=file)))
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


@pytest.mark.parametrize(
    "using",
    [
        pytest.param(lambda connection, file: dataclasses.replace(connection, token_file=file), id="token"),
        pytest.param(lambda connection, file: dataclasses.replace(connection, ca_file=file), id="authority"),
    ],
)
def test_a_credentials_file_that_is_missing_for_a_moment_is_retryable(
    memory_side: Side, tmp_path: Path, using: Callable[[Connection, Path], Connection]
) -> None:
    """A file is missing for a moment while its Secret is rotated."""
    missing = tmp_path / "missing"
    port = Port(PachydermV1(using(memory_side.connection, missing)))

    with pytest.raises(Retryable, match=str(missing)) as caught:
        port.list()

    assert caught.value.reason is Reason.PACHYDERM_ERROR


def test_a_ca_file_without_a_certificate_is_stalled_and_opens_no_connection(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("no certificate")
    port = Port(PachydermV1(dataclasses.replace(connection_to("grpcs://127.0.0.1:1"), ca_file=authority)))

    with pytest.raises(Stalled, match=f"{authority} holds no certificate") as caught:
        port.server()

    assert caught.value.reason is Reason.UNAUTHORIZED
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("variable", ["PACH_PYTHON_AUTH_TOKEN", "PACH_PYTHON_OIDC_TOKEN"])
def test_a_token_in_the_environment_is_not_sent(
    memory_side: Side, pachd: MemoryPachd, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "somebody-elses")

    Port(PachydermV1(memory_side.connection)).list()

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


def test_a_changed_ca_file_is_used_for_the_next_tls_connection(
    certificates: tuple[Certificate, Certificate], tmp_path: Path
) -> None:
    ours, another = certificates
    authority = tmp_path / "ca.crt"
    authority.write_bytes(another.pem)
    with MemoryPachd(tls=(ours.key, ours.pem)) as pachd:
        port = Port(PachydermV1(dataclasses.replace(connection_to(pachd.address), ca_file=authority)))
        with pytest.raises(Unreachable):
            port.server()

        authority.write_bytes(ours.pem)

        assert port.server().version == "1.13.4"
        assert port.server().address == pachd.address
