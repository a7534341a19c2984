"""The closed list of condition reasons: part of the API, documented in docs/reference/status.md."""

import enum


class Reason(enum.StrEnum):
    """Why a condition has its status. Users alert on these words; a word never changes its meaning."""

    # The pipeline does what the Spout asks.
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    APPLIED = "Applied"

    # On the way there.
    PENDING = "Pending"
    CREATING = "Creating"
    UPDATING = "Updating"
    ADOPTING = "Adopting"
    STARTING = "Starting"
    STOPPING = "Stopping"
    DELETING = "Deleting"
    WORKERS_STARTING = "WorkersStarting"

    # Pachyderm reports trouble with the pipeline.
    PIPELINE_FAILED = "PipelineFailed"
    PIPELINE_CRASHING = "PipelineCrashing"
    PIPELINE_RESTARTING = "PipelineRestarting"

    # The Pod of the worker does not come up: the words of Kubernetes.
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    UNSCHEDULABLE = "Unschedulable"
    CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
    CREATE_CONTAINER_CONFIG_ERROR = "CreateContainerConfigError"

    # The worker's log tells of the user code.
    USER_CODE_UNKNOWN = "UserCodeUnknown"
    USER_CODE_FAILING = "UserCodeFailing"
    USER_CODE_ENDED = "UserCodeEnded"
    OUTPUT_REFUSED = "OutputRefused"

    # Commits and marker, as spec.freshness asks.
    COMMIT_IN_TIME = "CommitInTime"
    COMMIT_TOO_OLD = "CommitTooOld"
    COMMITS_WITHOUT_MARKER = "CommitsWithoutMarker"
    MARKER_WITHOUT_COMMITS = "MarkerWithoutCommits"

    # A person has to act.
    INVALID_SPEC = "InvalidSpec"
    POLICY_DENIED = "PolicyDenied"
    PIPELINE_NOT_OWNED = "PipelineNotOwned"
    PIPELINE_CONFLICT = "PipelineConflict"
    ADOPTION_RESTARTS = "AdoptionRestarts"
    PROJECT_NOT_FOUND = "ProjectNotFound"
    REPO_EXISTS = "RepoExists"
    PIPELINE_REJECTED = "PipelineRejected"
    PIPELINE_LIMIT_REACHED = "PipelineLimitReached"
    DELETION_BLOCKED = "DeletionBlocked"
    UNAUTHORIZED = "Unauthorized"
    UNSUPPORTED_PACHYDERM = "UnsupportedPachyderm"
    UNSUPPORTED_BY_SERVER = "UnsupportedByServer"
    PACHYDERM_REPLACED = "PachydermReplaced"

    # It will be tried again.
    PACHYDERM_UNREACHABLE = "PachydermUnreachable"
    PACHYDERM_ERROR = "PachydermError"
    INTERNAL_ERROR = "InternalError"
