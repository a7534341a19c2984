"""The policy file: read at the start, and again when it changes. What cannot be used changes nothing, and is told."""

import asyncio
import logging
import pathlib
from collections.abc import Callable

from spout_operator.config import ConfigError
from spout_operator.core.policy import Policy
from spout_operator.process import policy_text
from spout_operator.process.policy_text import PolicyError

logger = logging.getLogger(__name__)

#: Seconds between two reads: the kubelet needs up to a minute for a ConfigMap anyway.
INTERVAL = 5.0


class PolicyFile:
    """One file, and the last good policy that it held."""

    def __init__(self, path: pathlib.Path) -> None:
        """Read the file for the first time.

        Raises:
            ConfigError: it holds no policy.
        """
        self._path = path
        self.trouble: str | None = None
        """Why the file cannot be used now, so that the last good policy is in force; None where it can."""
        self.last_read: float | None = None
        """Time of the loop at which the file was last read, well or not; None before `watch` has."""
        try:
            self._text = self._read()
            self._found: Policy | PolicyError = policy_text.read(self._text)
            """What the text holds, or what is wrong with it."""
            self.policy = self._found
            """The last good one."""
        except PolicyError as error:
            raise ConfigError(
                f"the policy file {path}: {error}. Without a valid policy the operator does not start"
            ) from None

    async def watch(self, apply: Callable[[Policy], None], *, interval: float = INTERVAL) -> None:
        """Read the file every `interval` seconds, for ever.

        Args:
            apply: is given each new policy.
            interval: seconds.
        """
        loop = asyncio.get_running_loop()
        while True:
            self.last_read = loop.time()
            await asyncio.sleep(interval)
            try:
                policy = await asyncio.to_thread(self._current)
            except PolicyError as error:
                self._cannot(str(error))
                continue
            if self.trouble is not None:
                logger.info("the policy file %s can be used again", self._path)
                self.trouble = None
            if policy != self.policy:
                self.policy = policy
                logger.info("the policy file %s has changed; %d rules are in force", self._path, len(policy.rules))
                apply(policy)

    def _current(self) -> Policy:
        """The policy that the file holds now; a text that was read before is not parsed again."""
        text = self._read()
        if text != self._text:
            self._text = text
            try:
                self._found = policy_text.read(text)
            except PolicyError as error:
                # Without the frames that it was raised through, which would be kept with it.
                self._found = error.with_traceback(None)
        if isinstance(self._found, PolicyError):
            raise PolicyError(*self._found.args)
        return self._found

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                # Not more than can be used: somebody may have named a device.
                return file.read(policy_text.LONGEST + 1).decode()
        except OSError as error:
            raise PolicyError(f"cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise PolicyError("it is no UTF-8 text") from None

    def _cannot(self, trouble: str) -> None:
        if trouble != self.trouble:
            logger.error(
                "the policy file %s: %s. The last good policy, of %d rules, stays in force",
                *(self._path, trouble, len(self.policy.rules)),
            )
        self.trouble = trouble
