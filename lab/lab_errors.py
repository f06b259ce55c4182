"""Errors of the lab that are worth one sentence to a person."""


class LabError(Exception):
    """A failure whose message is one clear sentence that says what to do."""


class InterruptedUpdateError(Exception):
    """The update was stopped on request."""
