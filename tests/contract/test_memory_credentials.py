"""Credentials are files that change while the operator runs: a Secret is rotated, a certificate renewed."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from spout_operator.core.errors import Unreachable
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.contract.harness import Side, connection_to
from tests.memory_pachd import MemoryPachd


def test_a_token_is_sent_and_read_again_when_it_changed(memory_side: Side, pachd: MemoryPachd, tmp_path: Path) -> None:
    file = tmp_path / "token"
    port = PachydermV1(dataclasses.replace(memory_side.connection, token_file=file))

    file.write_text("first\n")
    port.list()
    assert pachd.metadata["authn-token"] == "first"

    file.write_text("second\n")
    port.list()
    assert pachd.metadata["authn-token"] == "second"

    file.write_text("")
    port.list()
    assert "authn-token" not in pachd.metadata


@pytest.mark.parametrize("variable", ["PACH_PYTHON_AUTH_TOKEN", "PACH_PYTHON_OIDC_TOKEN"])
def test_a_token_in_the_environment_is_not_sent(
    memory_side: Side, pachd: MemoryPachd, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "somebody-elses")

    PachydermV1(memory_side.connection).list()

    assert "authn-token" not in pachd.metadata
    assert set(pachd.calls) == {"ListPipeline"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate that is its own authority."""

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


def test_a_server_with_tls_answers_who_trusts_its_authority_also_after_that_changed(
    certificates: tuple[Certificate, Certificate], tmp_path: Path
) -> None:
    ours, another = certificates
    authority = tmp_path / "ca.crt"
    authority.write_bytes(another.pem)
    with MemoryPachd(tls=(ours.key, ours.pem)) as pachd:
        port = PachydermV1(dataclasses.replace(connection_to(pachd.address), ca_file=authority))
        with pytest.raises(Unreachable):
            port.server()

        authority.write_bytes(ours.pem)

        assert port.server().version == "1.13.4"
        assert port.server().address == pachd.address
