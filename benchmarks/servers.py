"""The servers that are measured beside each other, with the bare calls of each one's SDK."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping

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
        self.port = int(pachyderm.address.rpartition(":")[2])
        self.workers = pachyderm.workers

    @abstractmethod
    def create(self, name: str) -> None:
        """Create a pipeline with one call of the SDK, like that of a Spout."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete a pipeline."""

    @abstractmethod
    def created(self) -> Mapping[str, float]:
        """When each pipeline was created, by the server's clock, in seconds since the epoch."""


class Pachyderm1(Measured):
    """Pachyderm 1.13.4, over python-pachyderm."""

    create_method = "CreatePipeline"
    spec = a_spec({"transform.image": IMAGE, "transform.cmd": COMMAND, "spout.marker": "offset"})

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

    def created(self) -> Mapping[str, float]:
        infos = self._client.list_pipeline().pipeline_info
        return {info.pipeline.name: info.created_at.seconds + info.created_at.nanos / 1e9 for info in infos}


class Pachyderm2(Measured):
    """Pachyderm 2.12.2, over pachyderm-sdk."""

    create_method = "CreatePipelineV2"
    spec = a_spec({"transform.image": IMAGE, "transform.cmd": COMMAND})

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

    def created(self) -> Mapping[str, float]:
        infos = self._client.pps.list_pipeline(details=True)
        return {info.pipeline.name: info.details.created_at.timestamp() for info in infos}
