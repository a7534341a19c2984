"""The servers that are measured beside each other: the bare call of each one's SDK, and what its log tells."""

import datetime
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pachyderm_sdk import Client as Client2
from pachyderm_sdk.api import pfs, pps

from spout_operator.pachyderm.v1.sdk import Client as Client1
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_testbed.harness.bodies import Body, a_spec
from spout_testbed.pachyderm import Pachyderm

#: The command idles, and no worker runs it: the figures are those of the operator and of pachd.
COMMAND = ["sleep", "1000000"]
IMAGE = "none:1"


class Measured(ABC):
    """One Pachyderm of the test bed."""

    create_method: str
    """The method with which the operator creates and updates a pipeline."""
    spec: Body
    """Of the Spouts that are measured."""

    def __init__(self, pachyderm: Pachyderm) -> None:
        self.version = pachyderm.version
        self.pachd = pachyderm.pachd
        self.port = int(pachyderm.address.rpartition(":")[2])
        self.workers = pachyderm.workers

    @abstractmethod
    def create(self, name: str) -> None:
        """Create a pipeline with one call of the SDK, like that of a Spout."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete a pipeline."""

    @abstractmethod
    def answered(self, since: int) -> Mapping[str, float]:
        """When pachd answered the call that created each pipeline, in seconds since the epoch.

        Args:
            since: the size of pachd's log before the first call.
        """

    def logged(self, since: int = 0) -> str:
        """What pachd has logged from a byte on."""
        with self.pachd.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    @property
    def log_size(self) -> int:
        """Bytes that pachd has logged so far."""
        return self.pachd.log.stat().st_size


class Pachyderm1(Measured):
    """Pachyderm 1.13.4, over python-pachyderm."""

    create_method = "CreatePipeline"
    spec = a_spec({"transform.image": IMAGE, "transform.cmd": COMMAND, "spout.marker": "offset"})
    _DURATION = re.compile(
        r'pps\.API\.CreatePipeline \{"duration":([0-9.e-]+),"request":\{"pipeline":\{"name":"([^"]+)"\}'
    )

    def __init__(self, pachyderm: Pachyderm) -> None:
        super().__init__(pachyderm)
        self._client = Client1.new_from_pachd_address(pachyderm.address)

    def create(self, name: str) -> None:
        self._client.create_pipeline(
            name,
            pps_pb2.Transform(image=IMAGE, cmd=COMMAND),
            spout=pps_pb2.Spout(marker="offset"),
            parallelism_spec=pps_pb2.ParallelismSpec(constant=1),
        )

    def delete(self, name: str) -> None:
        self._client.delete_pipeline(name)

    def answered(self, since: int) -> Mapping[str, float]:
        took = {name: float(seconds) for seconds, name in self._DURATION.findall(self.logged(since))}
        # Its log tells of whole seconds only.
        infos = {info.pipeline.name: info.created_at for info in self._client.list_pipeline().pipeline_info}
        return {
            name: infos[name].seconds + infos[name].nanos / 1e9 + seconds
            for name, seconds in took.items()
            if name in infos
        }


class Pachyderm2(Measured):
    """Pachyderm 2.12.2, over pachyderm-sdk."""

    create_method = "CreatePipelineV2"
    spec = a_spec({"transform.image": IMAGE, "transform.cmd": COMMAND})
    _ANSWER = '"message":"response for pps_v2.API/CreatePipelineV2"'

    def __init__(self, pachyderm: Pachyderm) -> None:
        super().__init__(pachyderm)
        self._client = Client2.from_pachd_address(pachyderm.address)

    def create(self, name: str) -> None:
        spec = {
            "pipeline": {"name": name},
            "transform": {"image": IMAGE, "cmd": COMMAND},
            "spout": {},
            "parallelismSpec": {"constant": 1},
        }
        self._client.pps.create_pipeline_v2(create_pipeline_request_json=json.dumps(spec))

    def delete(self, name: str) -> None:
        self._client.pps.delete_pipeline(pipeline=pps.Pipeline(name=name, project=pfs.Project(name="default")))

    def answered(self, since: int) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for line in self.logged(since).splitlines():
            if self._ANSWER not in line:
                continue
            answer: dict[str, Any] = json.loads(line)
            spec = json.loads(answer["response"]["effective_create_pipeline_request_json"])
            found[spec["pipeline"]["name"]] = datetime.datetime.fromisoformat(answer["time"]).timestamp()
        return found
