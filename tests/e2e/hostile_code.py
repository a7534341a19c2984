"""The code of a spout that takes what it can get, on Pachyderm 1.13. It shows no values.

When a file `ask-N` appears in the folder ANSWERS, it tries everything and writes what came of it to `answer-N`.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

from spout_operator.pachyderm.v1.sdk import Client, pps_pb2

folder = Path(os.environ["ANSWERS"])
pachd = Client.new_from_pachd_address(f"grpc://{os.environ['PACHD_SERVICE_HOST']}:{os.environ['PACHD_SERVICE_PORT']}")


def reaches(service: str) -> bool:
    """Whether a Service of Kubernetes accepts connections."""
    address = os.environ[f"{service}_SERVICE_HOST"], int(os.environ[f"{service}_SERVICE_PORT"])
    with socket.create_connection(address, timeout=5):
        return True


def stolen(number: str) -> list[str]:
    """The keys of a Secret that a pipeline of its own making mounts."""
    found = folder / f"stolen-{number}"
    script = f"import os, pathlib; pathlib.Path({str(found)!r}).write_text(' '.join(os.listdir('/stolen')))"
    secret = pps_pb2.SecretMount(name="private", mount_path="/stolen")
    transform = pps_pb2.Transform(image="any", cmd=[sys.executable, "-c", script], secrets=[secret])
    pachd.create_pipeline(f"made-by-code-{number}", transform, spout=pps_pb2.Spout())
    while not found.exists():
        time.sleep(0.1)
    return [key for key in found.read_text().split() if not key.startswith(".")]


def answer(number: str) -> dict[str, object]:
    """What the code can get."""
    return {
        "the storage Secret": Path("/pachyderm-storage-secret").is_dir(),
        "a variable with a key of the storage Secret": "AMAZON_SECRET" in os.environ,
        "connect to etcd": reaches("ETCD"),
        "connect to the API server": reaches("KUBERNETES"),
        "Pachyderm: another repo": pachd.get_file(("other", "master"), "private").read().decode(),
        "Pachyderm: a Secret that a pipeline mounts": stolen(number),
    }


while True:
    for ask in folder.glob("ask-*"):
        number = ask.name.removeprefix("ask-")
        ask.unlink()
        written = folder / f"new-{number}"
        written.write_text(json.dumps(answer(number)))
        written.replace(folder / f"answer-{number}")
    time.sleep(0.1)
