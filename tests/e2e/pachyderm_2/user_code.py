"""The code of a spout for Pachyderm 2: it commits the numbers from 1 to LIMIT, one commit each.

POSITION names a file that stands for the source: the code acknowledges a number there after its commit. A file beside
it, `limit`, can raise the LIMIT while the code runs. A commit that fails ends the code, unless ERRORS names a file:
then the code writes a line for each error into it, and makes the commit again.
"""

import json
import os
import time
from collections.abc import Callable
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
#: Seconds that one commit may take.
DEADLINE = float(os.environ.get("DEADLINE", "60"))


def limit() -> int:
    """The number to stop at, for now."""
    return int(raised.read_text()) if raised.exists() else int(os.environ["LIMIT"])


def commit(modify: Callable[..., bytes], number: int) -> None:
    """One commit with one file. If it is made again, the file is the same."""
    path = f"/data-{number}"
    requests = (
        pfs.ModifyFileRequest(set_commit=head),
        pfs.ModifyFileRequest(delete_file=pfs.DeleteFile(path=path)),
        pfs.ModifyFileRequest(add_file=pfs.AddFile(path=path, raw=str(number).encode())),
    )
    modify(iter(requests), timeout=DEADLINE, metadata=[("authn-token", token)] if token else [])


def commit_until_it_succeeds(modify: Callable[..., bytes], number: int) -> None:
    """The same again after each error, if ERRORS is set."""
    while True:
        try:
            commit(modify, number)
        except grpc.RpcError as error:
            if "ERRORS" not in os.environ:
                raise
            with Path(os.environ["ERRORS"]).open("a") as errors:
                errors.write(f"{error.code().name}\n")
            time.sleep(0.1)
        else:
            return


with grpc.insecure_channel(f"localhost:{os.environ['PEER_PORT']}") as channel:
    modify = channel.stream_unary("/pfs_v2.API/ModifyFile", request_serializer=bytes, response_deserializer=bytes)
    done = int(position.read_text()) if position.exists() else 0
    while True:
        if done >= limit():
            time.sleep(0.1)
            continue
        commit_until_it_succeeds(modify, done + 1)
        done += 1
        position.write_text(str(done))
