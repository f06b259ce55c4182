"""Expected errors: what a command tells a person instead of a traceback."""


class NodeError(Exception):
    """Something outside the agent is wrong; the message names the cause and the remedy."""


class AwsError(NodeError):
    """AWS did not answer, or refused. What is on disk must do until it answers."""
