"""What goes wrong in a recovery and is worth one sentence to a person."""


class RecoveryError(Exception):
    """A failure whose message is one clear sentence that says what to do."""
