"""The code of a spout for Pachyderm 2: it commits the numbers from 1 to LIMIT, one commit each.

POSITION names a file that stands for the source: the code acknowledges a number there after its commit. A file beside
it, `limit`, can raise the LIMIT while the code runs.
"""

import json
import os
import time
from pathlib import Path

import grpc
from pachyderm_sdk.api import pfs

repo = pfs.Repo(
    name=os.environ["PPS_PIPELINE_NAME"], type="user", project=pfs.Project(name=os.environ["PPS_PROJECT_NAME"])
)
head = pfs.Commit(branch=pfs.Branch(repo=repo, name="master"), repo=repo)
config = json.loads(Path("/pachctl/config.json").read_text())["v2"]
token = config["contexts"][config["active_context"]].get("session_token", "")
position = Path(os.environ["POSITION"])
raised = position.with_name("limit")


def limit() -> int:
    """The number to stop at, for now."""
    return int(raised.read_text()) if raised.exists() else int(os.environ["LIMIT"])


with grpc.insecure_channel(f"localhost:{os.environ['PEER_PORT']}") as channel:
    modify = channel.stream_unary("/pfs_v2.API/ModifyFile", request_serializer=bytes, response_deserializer=bytes)
    done = int(position.read_text()) if position.exists() else 0
    while True:
        if done >= limit():
            time.sleep(0.1)
            continue
        number = done + 1
        content = pfs.AddFile(path=f"/data-{number}", raw=str(number).encode())
        requests = (pfs.ModifyFileRequest(set_commit=head), pfs.ModifyFileRequest(add_file=content))
        modify(iter(requests), timeout=60, metadata=[("authn-token", token)] if token else [])
        position.write_text(str(number))
        done = number
