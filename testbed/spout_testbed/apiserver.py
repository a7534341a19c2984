"""kube-apiserver with RBAC and a few users who log in by token."""

import ssl
import urllib.request
from pathlib import Path
from urllib.error import URLError

from spout_testbed.etcd import ETCD_URL
from spout_testbed.network import APISERVER_PORT, BED_ADDRESS, LOOPBACK
from spout_testbed.server import Server

ADMIN = "admin"
PACHYDERM_2 = "pachyderm-2"
USERS = {ADMIN: "system:masters", "operator": "", "developer": "", PACHYDERM_2: ""}
"""Each user, and the group that gives the user rights. Only the administrator has rights from the start.

pachd 2 is a user, as it is no Pod and so has no ServiceAccount. pachd 1 can only be anonymous."""

URL = f"https://{LOOPBACK}:{APISERVER_PORT}"


def token_of(user: str) -> str:
    """The token of a user. It needs no secrecy, because only processes inside the test bed can reach the server."""
    return f"{user}-token"


def token_file(folder: Path, user: str) -> Path:
    """Write the token of a user to a file in `folder`, and return its path."""
    path = folder / f"{user}.token"
    path.write_text(token_of(user))
    return path


def apiserver(binary: Path, folder: Path) -> Server:
    """A kube-apiserver that keeps its certificates and its users in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = folder / "tokens.csv"
    tokens.write_text("".join(f"{token_of(user)},{user},{user},{group}\n" for user, group in USERS.items()))
    certificate = certificate_in(folder)
    # The server creates this key pair before it reads it, so the test bed needs no openssl.
    key = certificate.with_suffix(".key")
    return Server(
        "kube-apiserver",
        [
            str(binary),
            f"--etcd-servers={ETCD_URL}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={APISERVER_PORT}",
            # The network of a test bed has no default route from which the server could derive an address.
            f"--advertise-address={BED_ADDRESS}",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={certificate.parent}",
            f"--service-account-issuer={URL}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            # The kubelet shows the same certificate. It asks for none: only the test bed can reach it.
            f"--kubelet-certificate-authority={certificate}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            f"--audit-policy-file={_audit_policy(folder)}",
            f"--audit-log-path={audit_log_in(folder)}",
            # Without a controller, no namespace gets a default ServiceAccount, so the server must not require one.
            "--disable-admission-plugins=ServiceAccount",
        ],
        env={},
        log=folder / "log",
        ready=lambda _output: _is_ready(certificate),
        ready_means="its /readyz answers",
    )


def audit_log_in(folder: Path) -> Path:
    """The file with the requests of ServiceAccounts and their answers, one JSON object in each line."""
    return folder / "audit.log"


def _audit_policy(folder: Path) -> Path:
    path = folder / "audit-policy.yaml"
    path.write_text(
        """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: None
  users: ["system:serviceaccount:pachyderm-2:pachyderm-worker"]
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
"""
    )
    return path


def certificate_in(folder: Path) -> Path:
    """The certificate that the server creates for itself, which is also its authority."""
    return folder / "certificates" / "apiserver.crt"


def write_kubeconfig(folder: Path, user: str, *, token: str = "") -> Path:
    """Writes the kubeconfig with which `user` reaches this server, and returns its path.

    Args:
        folder: where the server keeps its files.
        user: a name of `USERS`, or any name if `token` is given.
        token: the token of the user, if it is not the one of `token_of`.
    """
    path = folder / f"{user}.kubeconfig"
    path.write_text(
        f"""\
apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster: {{server: "{URL}", certificate-authority: "{certificate_in(folder)}"}}
users:
- name: {user}
  user: {{token: {token or token_of(user)}}}
contexts:
- name: {user}
  context: {{cluster: testbed, user: {user}}}
current-context: {user}
"""
    )
    return path


def _is_ready(certificate: Path) -> bool:
    request = urllib.request.Request(  # noqa: S310 - our own server's address
        f"{URL}/readyz", headers={"Authorization": f"Bearer {token_of(ADMIN)}"}
    )
    try:
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(request, timeout=2, context=context):  # noqa: S310 - as above
            return True
    except (URLError, OSError):
        return False
