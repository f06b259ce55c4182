"""The Pulumi SDK's own installer of the CLI, as a program, so that its time can be limited.

It runs Pulumi's install script (get.pulumi.com/install.sh), which downloads the release of this
platform from GitHub or get.pulumi.com and unpacks it into `$PULUMI_HOME/bin`, its language hosts
too. Neither of them has a time limit of its own.
"""

import os
import subprocess
import sys

from pulumi.automation import PulumiCommand
from semver import VersionInfo


def main(version: str) -> None:
    """Install this version into PULUMI_HOME and run it once; ends with the reason of a failure."""
    try:
        PulumiCommand.install(os.environ["PULUMI_HOME"], VersionInfo.parse(version))
    except subprocess.CalledProcessError as error:
        sys.exit(error.output.decode(errors="replace").strip() or str(error))
    except (OSError, ValueError) as error:  # no connection, no such file, no such program
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1])
