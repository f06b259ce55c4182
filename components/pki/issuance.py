"""Issuance: what must hold whenever this machine signs a certificate.

A certificate is valid from the moment that the clock of the machine that runs `pulumi up` shows, so
that clock is compared with AWS's whenever one is about to be issued, and only then. And no leaf may
outlive its CA: nodes would trust it no more than the CA, and nobody would be warned.
Both are told in the preview.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pulumi

from components.gates.aws_reader import AwsAccessDeniedError, AwsUnavailableError

HOOK = "pki-issuance"
"""Name of the hook; it is in the state of every certificate."""
LARGEST_SKEW = timedelta(minutes=5)
"""How far this machine's clock may be from AWS's: as far as AWS lets the clock of a request be."""


class IssuanceRefusedError(Exception):
    """A certificate would be wrong from the start. One sentence, with the remedy."""


class Issuance:
    """The hook of every certificate, which a program registers once."""

    def __init__(
        self,
        aws_time: Callable[[], datetime],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`aws_time` asks AWS for its time; it blocks, and may raise what gates' reads raise."""
        self._aws_time, self._clock = aws_time, clock
        self._ahead: timedelta | None = None
        self._ends: dict[str, datetime] = {}
        # Threads of its own: the event loop's are all taken while certificates wait for this.
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="issuance")
        hook = pulumi.ResourceHook(
            HOOK, self._before_create, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        self.binding = pulumi.ResourceHookBinding(before_create=[hook])
        """For every certificate."""

    def know(self, ca_cert_pem: str, ends: str | None) -> str:
        """Remember until when a CA is valid (RFC 3339); its certificate is returned."""
        if ends:
            self._ends[ca_cert_pem] = datetime.fromisoformat(ends)
        return ca_cert_pem

    async def _before_create(self, args: pulumi.ResourceHookArgs) -> None:
        inputs = args.new_inputs or {}
        await asyncio.get_running_loop().run_in_executor(self._threads, self._check_clock)
        authority, hours = inputs.get("caCertPem"), inputs.get("validityPeriodHours")
        # The certificate of a CA that this very run makes is unknown in the preview.
        if isinstance(authority, str) and isinstance(hours, int | float):
            self._check_lifetime(args.name, authority, timedelta(hours=hours))

    def _check_clock(self) -> None:
        if self._ahead is None:
            try:
                self._ahead = self._clock() - self._aws_time()
            except (AwsUnavailableError, AwsAccessDeniedError) as error:
                self._ahead = timedelta()
                pulumi.log.warn(
                    "pki: certificates are dated by this machine's clock, which could not be "
                    f"compared with AWS's: {error}"
                )
        if abs(self._ahead) > LARGEST_SKEW:
            minutes = round(abs(self._ahead) / timedelta(minutes=1))
            direction = "ahead of" if self._ahead > timedelta() else "behind"
            raise IssuanceRefusedError(
                f"pki: this machine's clock is {minutes} minutes {direction} AWS's, and the "
                "certificates that it signs would be dated by it: set the clock, then run pulumi "
                "up again"
            )

    def _check_lifetime(self, name: str, authority: str, lifetime: timedelta) -> None:
        ends = self._ends.get(authority)
        if ends is None or self._clock() + lifetime <= ends:
            return
        left = (ends - self._clock()) // timedelta(days=1)
        raise IssuanceRefusedError(
            f"pki.leafDays: the certificate {name} would be valid for {lifetime.days} days, and "
            f"the authority that signs it for {left} more, until {ends:%Y-%m-%d}: set it to at "
            f"most {left}, and see docs/runbooks/reissue-certificates.md"
        )
