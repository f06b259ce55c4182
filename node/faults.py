"""Expected faults: what a command tells a person instead of a traceback."""


class Fault(Exception):
    """Something outside the program is wrong; the message names the cause and the remedy."""


class AwsFault(Fault):
    """AWS did not answer, or refused. What is on disk must do until it answers."""
