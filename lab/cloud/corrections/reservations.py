# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Subnet CIDR reservations.

Stock moto loses the description, which providers take for a change that replaces the reservation.
Which addresses a reservation keeps from others is in `addresses`.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import Method, extends


@extends(EC2Response, "create_subnet_cidr_reservation")
def create_subnet_cidr_reservation(original: Method, response: EC2Response) -> ActionResult:
    """CreateSubnetCidrReservation, with its description."""
    answer: ActionResult = original(response)
    result: Any = answer.result
    reservation = result["SubnetCidrReservation"]
    reservation.description = response._get_param("Description")
    return answer
