"""What the requests of a watch say about it: whether its Spouts are watched, and why not."""

import http
import logging

logger = logging.getLogger(__name__)

#: What a person can do about an answer.
ADVICE: dict[int, str] = {
    http.HTTPStatus.UNAUTHORIZED: "the operator's credentials have expired or were revoked",
    http.HTTPStatus.FORBIDDEN: "grant the operator its rights there, or do not watch it",
}


class WatchHealth:
    """Of one watch. Its thread writes; every other thread may read."""

    def __init__(self, what: str) -> None:
        """Nothing is watched yet.

        Args:
            what: the Spouts that are watched, for messages, for example "the Spouts of the namespace 'ingest'".
        """
        self._what = what
        self._told: set[str] = set()
        self.is_granted = False
        """Whether a watch was granted since it was begun."""
        self.trouble: str | None = f"the watch of {what} has not begun"
        """Why the Spouts are not watched now; None where they are."""

    def begin(self) -> None:
        """The watch is begun, or begun anew."""
        self.is_granted = False

    def answered(self, verb: str, status: int) -> None:
        """The API server answered a request with this HTTP status."""
        if status < http.HTTPStatus.BAD_REQUEST:
            if verb == "watch":
                self.is_granted = True
                self._end_trouble()
            return
        said = " ".join([str(status), *(known.phrase for known in http.HTTPStatus if known == status)])
        advice = f"; {ADVICE[status]}" if status in ADVICE else ""
        self._note(f"cannot watch {self._what}: the API server answered {said}{advice}")

    def failed(self, error: BaseException) -> None:
        """The API server did not answer a request, or the watch ended with an error."""
        said = " ".join(str(error).split()) or type(error).__name__
        self._note(f"cannot watch {self._what}: {said}")

    def ended(self, error: BaseException | None) -> None:
        """The watch is over. What its requests said before says more than how it ended."""
        if self.trouble is None:
            self.failed(error or RuntimeError("the watch ended"))

    def _note(self, trouble: str) -> None:
        self.trouble = trouble
        # Once, and not for each try.
        if trouble not in self._told:
            self._told.add(trouble)
            logger.warning("%s; it is tried again", trouble)

    def _end_trouble(self) -> None:
        if self._told:
            logger.info("%s are watched again", self._what)
        self._told.clear()
        self.trouble = None
