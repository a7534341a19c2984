"""What the state of a pipeline and of its user code mean for the Spout."""

import dataclasses
import datetime

from spout_operator.core import pod_faults
from spout_operator.core.activity import Failed, OutputRefused
from spout_operator.core.history import History, Trouble
from spout_operator.core.model import Pipeline, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.timestamps import print_time

RECONCILING = "Reconciling"
STALLED = "Stalled"

TRUE = "True"
FALSE = "False"
UNKNOWN = "Unknown"

#: User code that has run for so long is taken to have begun well; one whose command does not exist, or that ends at
#: once, has been noticed by then.
FIRST_SECONDS = datetime.timedelta(seconds=5)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """The condition Ready, and the type of the one beside it, if there is one."""

    ready: str
    reason: Reason
    message: str
    also: str | None = None
    last_lines: tuple[str, ...] = ()
    """Lines of the user code that the message is to end with, as they were written; see `core.user_lines`."""


def of_pipeline(pipeline: Pipeline, user_code: Health | None) -> Health:
    """The health of a pipeline that is as asked for.

    Args:
        pipeline: as it was observed.
        user_code: what is known of the user code of a pipeline that is up, or of a worker that is not; else it counts
            for nothing.
    """
    said = f": {pipeline.reason}" if pipeline.reason else ""
    match pipeline.state:
        case PipelineState.FAILURE:
            message = f"the pipeline has failed{said}; it stays so until the Spout is changed (restartNonce will do)"
            return Health(ready=FALSE, reason=Reason.PIPELINE_FAILED, message=message, also=STALLED)
        case PipelineState.CRASHING:
            fault = pod_faults.reason_of(pipeline.reason)
            if fault is not None:
                return Health(ready=FALSE, reason=fault, message=f"the worker's Pod does not come up{said}")
            message = f"the workers crash or do not come up{said}; see the Pods of the pipeline"
            return Health(ready=FALSE, reason=Reason.PIPELINE_CRASHING, message=message)
        case PipelineState.RESTARTING:
            message = f"Pachyderm restarts the pipeline after an error{said}"
            return Health(ready=FALSE, reason=Reason.PIPELINE_RESTARTING, message=message, also=RECONCILING)
        case PipelineState.PAUSED if pipeline.stopped:
            return Health(ready=TRUE, reason=Reason.SUSPENDED, message="the pipeline is stopped, as spec.suspend asks")
    if pipeline.stopped:
        message = "the pipeline is being stopped, as spec.suspend asks"
        return Health(ready=FALSE, reason=Reason.STOPPING, message=message, also=RECONCILING)
    if pipeline.state not in {PipelineState.RUNNING, PipelineState.STANDBY}:
        return Health(ready=FALSE, reason=Reason.STARTING, message="the pipeline is starting", also=RECONCILING)
    return _of_worker(pipeline, user_code)


def _of_worker(pipeline: Pipeline, user_code: Health | None) -> Health:
    if is_up(pipeline):
        message = "the worker is up; its log was not read yet"
        return user_code or Health(ready=UNKNOWN, reason=Reason.USER_CODE_UNKNOWN, message=message)
    if user_code is not None and user_code.reason in _OF_WORKER_STARTS:
        return user_code
    return Health(ready=FALSE, reason=Reason.WORKERS_STARTING, message=_WORKER_STARTS, also=RECONCILING)


#: What can be known of a worker that is not up (`of_waiting_worker`).
_OF_WORKER_STARTS = pod_faults.REASONS | {Reason.WORKERS_STARTING}
_WORKER_STARTS = "the pipeline is up and its worker is not yet"


def is_up(pipeline: Pipeline) -> bool:
    """Whether the pipeline and its worker are up, so that its user code should run."""
    return _should_run(pipeline) and pipeline.workers is not None and pipeline.workers[0] >= pipeline.workers[1]


def is_coming_up(pipeline: Pipeline) -> bool:
    """Whether the pipeline is up and its worker is not."""
    return _should_run(pipeline) and not is_up(pipeline)


def _should_run(pipeline: Pipeline) -> bool:
    return not pipeline.stopped and pipeline.state in {PipelineState.RUNNING, PipelineState.STANDBY}


def of_waiting_worker(words: str) -> Health:
    """The health of a worker that is coming up, whose container waits; the kubelet says why."""
    fault = pod_faults.reason_of(words)
    if fault is None:
        message = f"{_WORKER_STARTS}: {words}"
        return Health(ready=FALSE, reason=Reason.WORKERS_STARTING, message=message, also=RECONCILING)
    # The kubelet does not name what is missing.
    what = _SECRETS if fault is Reason.CREATE_CONTAINER_CONFIG_ERROR else "see the Pods of the pipeline"
    return Health(ready=FALSE, reason=fault, message=f"the worker's Pod does not come up: {words}; {what}")


_SECRETS = "see whether each Secret of spec.transform.secrets is in Pachyderm's namespace, and has its key"


def of_user_code(
    history: History, *, committed_at: datetime.datetime | None, unknown: str | None, now: datetime.datetime
) -> Health:
    """The health of the user code of a worker that is up.

    Args:
        history: what its worker logged.
        committed_at: when the newest commit that it can have made was finished.
        unknown: why its worker's log could not be read, or not as a whole; None where it could.
        now: the time.
    """
    running = Health(ready=TRUE, reason=Reason.RUNNING, message="the spout is running")
    trouble = history.trouble
    stopped_at = max((moment for moment in (history.ended_at, trouble and trouble.newest.at) if moment), default=None)
    if committed_at is not None and (stopped_at is None or committed_at > stopped_at):
        return running
    if history.ended is not None:
        last_lines = history.ended.last_lines
        return Health(ready=FALSE, reason=Reason.USER_CODE_ENDED, message=_ENDED, also=STALLED, last_lines=last_lines)
    if trouble is not None and not _is_overcome(history, trouble, now):
        return _of_trouble(trouble)
    if history.started_at is None:
        message = f"the worker is up, and nothing is known of the user code{f': {unknown}' if unknown else ' yet'}"
        return Health(ready=UNKNOWN, reason=Reason.USER_CODE_UNKNOWN, message=message)
    if trouble is None and now - history.started_at < FIRST_SECONDS:
        message = "the user code has just been started"
        return Health(ready=UNKNOWN, reason=Reason.USER_CODE_UNKNOWN, message=message, also=RECONCILING)
    return running


def _is_overcome(history: History, trouble: Trouble, now: datetime.datetime) -> bool:
    started = history.started_at
    return started is not None and started > trouble.newest.at and now - started >= trouble.recovery


_ENDED = (
    "the user code has ended with exit code 0, or of a broken pipe (SIGPIPE), and Pachyderm does not start it again; a "
    "spout's code has to run for ever. To start it once more, edit the Spout; a new restartNonce is enough"
)


def _of_trouble(trouble: Trouble) -> Health:
    newest, times = trouble.newest, f"{trouble.times} times" if trouble.times > 1 else "once"
    since = f"{times} since {print_time(trouble.since)}"
    match newest:
        case OutputRefused():
            advice = f"; {newest.advice}" if newest.advice else ""
            message = f"Pachyderm has refused what the user code wrote, {since}; the last time: {newest.error}{advice}"
            return Health(ready=FALSE, reason=Reason.OUTPUT_REFUSED, message=message, last_lines=newest.last_lines)
        case Failed():
            how = (
                f"exit code {newest.exit_code}" if newest.exit_code is not None else newest.error or "an unknown error"
            )
            again = (
                f"; Pachyderm starts it again at {print_time(newest.at + newest.retry_in)}" if newest.retry_in else ""
            )
            message = f"the user code has failed {since}, the last time with {how}{again}; see the log of its worker"
            return Health(ready=FALSE, reason=Reason.USER_CODE_FAILING, message=message, last_lines=newest.last_lines)
