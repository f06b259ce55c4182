"""Typed stack configuration: what a stack file may say, and what is wrong with one."""

from config.cluster_settings import ClusterSettings
from config.load import check, load
from config.problems import ConfigError
from config.quorum import Quorum

__all__ = ["ClusterSettings", "ConfigError", "Quorum", "check", "load"]
