"""The code of a spout for Pachyderm 2: it commits the numbers from 1 to LIMIT, one commit each, and then waits.

POSITION names a file that stands for the source: the code acknowledges a number there after its commit.
"""

import os
import threading
from pathlib import Path

import grpc
from pachyderm_sdk.api import pfs

repo = pfs.Repo(
    name=os.environ["PPS_PIPELINE_NAME"], type="user", project=pfs.Project(name=os.environ["PPS_PROJECT_NAME"])
)
head = pfs.Commit(branch=pfs.Branch(repo=repo, name="master"), repo=repo)
position, limit = Path(os.environ["POSITION"]), int(os.environ["LIMIT"])

with grpc.insecure_channel(f"localhost:{os.environ['PEER_PORT']}") as channel:
    modify = channel.stream_unary("/pfs_v2.API/ModifyFile", request_serializer=bytes, response_deserializer=bytes)
    done = int(position.read_text()) if position.exists() else 0
    for number in range(done + 1, limit + 1):
        content = pfs.AddFile(path=f"/data-{number}", raw=str(number).encode())
        requests = (pfs.ModifyFileRequest(set_commit=head), pfs.ModifyFileRequest(add_file=content))
        modify(iter(requests), timeout=60)
        position.write_text(str(number))
threading.Event().wait()
