"""Typed stack configuration: what a stack file may say, and what is wrong with one."""

from config.load import check, load
from config.problems import ConfigError
from config.quorum import Quorum
from config.settings import ClusterSettings

__all__ = ["ClusterSettings", "ConfigError", "Quorum", "check", "load"]
