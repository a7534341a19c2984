"""python-pachyderm without its Admin service, whose import costs more than all the rest of it.

`admin_pb2` of 6.3.3 carries the whole API of five older Pachyderms (1.7 to 1.12) for `extract` and
`restore`, which the operator never calls: 0.6 s of its start and 31 MB of its memory
(docs/decisions/0005-sdk-without-admin.md has the command that measures it). Two empty modules stand
in; python-pachyderm only looks into them inside the Admin methods.
"""

import sys
import types

for _name in ("admin_pb2", "admin_pb2_grpc"):
    _full_name = f"python_pachyderm.proto.admin.{_name}"
    sys.modules.setdefault(_full_name, types.ModuleType(_full_name, "Left out; see spout_operator.pachyderm.v1.sdk."))

from python_pachyderm import Client  # noqa: E402 - the modules above have to be there first
from python_pachyderm.proto.pfs import pfs_pb2  # noqa: E402 - same
from python_pachyderm.proto.pps import pps_pb2  # noqa: E402 - same

__all__ = ["Client", "pfs_pb2", "pps_pb2"]
