"""The code of a spout that takes what it can get, on Pachyderm 2. It shows no values.

When a file `ask-N` appears in the folder ANSWERS, it tries everything and writes what came of it to `answer-N`.
"""

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CORE = "https://{KUBERNETES_SERVICE_HOST}:{KUBERNETES_SERVICE_PORT}/api/v1/namespaces/{PACH_NAMESPACE}"
A_POD = {
    "metadata": {"name": "made-by-code"},
    "spec": {
        "containers": [{"name": "code", "image": "any"}],
        "volumes": [{"name": "stolen", "secret": {"secretName": "private"}}],
    },
}


def kubernetes(path: str, body: Mapping[str, Any] | None = None) -> int:
    """What the API server answers to the ServiceAccount of the worker."""
    request = urllib.request.Request(  # noqa: S310 - the API server
        CORE.format_map(os.environ) + path,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}", "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def pachyderm(call: Callable[[Client], object]) -> str:
    """What pachd answers to the token of the spout."""
    config = json.loads(Path("/pachctl/config.json").read_text())["v2"]
    token = config["contexts"][config["active_context"]].get("session_token") or None
    host, port = os.environ["PACHD_SERVICE_HOST"], int(os.environ["PACHD_SERVICE_PORT"])
    try:
        call(Client(host=host, port=port, auth_token=token))
    except (grpc.RpcError, ValueError) as error:
        # A file that cannot be read is a ValueError of the SDK over gRPC's own error.
        refused = error.__cause__ if isinstance(error, ValueError) else error
        return str(refused.code().name) if isinstance(refused, grpc.RpcError) else repr(error)
    return "OK"


def create_pipeline(client: Client, name: str) -> None:
    """Have Pachyderm mount a Secret into a worker, without any Spout."""
    client.pps.create_pipeline(
        pipeline=pps.Pipeline(name=name, project=pfs.Project(name="default")),
        transform=pps.Transform(
            image="any", cmd=["sleep", "1000"], secrets=[pps.SecretMount(name="private", mount_path="/stolen")]
        ),
        spout=pps.Spout(),
    )


def read_another_repo(client: Client) -> None:
    """Read what another pipeline has committed."""
    with client.pfs.pfs_file(pfs.File.from_uri("other@master:/private")) as file:
        file.read()


def commit() -> str:
    """Do what a spout is for."""
    to = f"{os.environ['PPS_PIPELINE_NAME']}@master:/data"
    put = ["/pach-bin/pachctl", "put", "file", to, "-f", "-"]
    done = subprocess.run(put, input=b"data", capture_output=True, timeout=30, check=False)  # noqa: S603 - the worker's own
    return done.stderr.decode() or "OK"


def answer(number: str) -> dict[str, object]:
    """What the code can get."""
    return {
        "the storage Secret": Path("/pachyderm-storage-secret").is_dir(),
        "the password of PostgreSQL": "POSTGRES_PASSWORD" in os.environ,
        "Kubernetes: get Secrets": kubernetes("/secrets"),
        "Kubernetes: create a Pod with a Secret": kubernetes("/pods?dryRun=All", A_POD),
        "Pachyderm: create a pipeline with a Secret": pachyderm(
            lambda it: create_pipeline(it, f"made-by-code-{number}")
        ),
        "Pachyderm: read another repo": pachyderm(read_another_repo),
        "Pachyderm: commit": commit(),
    }


folder = Path(os.environ["ANSWERS"])
while True:
    for ask in folder.glob("ask-*"):
        number = ask.name.removeprefix("ask-")
        ask.unlink()
        written = folder / f"new-{number}"
        written.write_text(json.dumps(answer(number)))
        written.replace(folder / f"answer-{number}")
    time.sleep(0.1)
