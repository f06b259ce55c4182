"""Terraform's life cycle of one resource: validate, plan, apply, read, import."""

# ruff: noqa: ANN401 a protocol message is a generated class without types

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.engine.aws.plan_changes import Change, Step, changes
from lab.engine.aws.proposal import proposed_state
from lab.engine.aws.schema import Block, Schema
from lab.engine.aws.state import RawState
from lab.engine.aws.terraform_client import Client, check, errors, sentence, unpack
from lab.engine.aws.values import to_terraform


@dataclass(frozen=True)
class Plan:
    """What the provider would do."""

    config: dict[str, Any]
    planned: dict[str, Any]
    private: bytes
    changes: Sequence[Change]
    replace_paths: Sequence[Sequence[Step]]

    @property
    def replacing(self) -> list[Change]:
        """The changes that cannot be made in place."""
        return [change for change in self.changes if change.replaced_by(self.replace_paths)]


@dataclass(frozen=True)
class Applied:
    """The state after an apply, which may be partial when there are problems."""

    state: RawState | None
    problems: Sequence[str]


class Resource:
    """One Terraform resource type."""

    def __init__(self, client: Client, type_name: str, schema: Schema) -> None:
        self._client = client
        self._messages = client.messages
        self.type_name = type_name
        self.schema = schema

    @property
    def block(self) -> Block:
        """Attributes and blocks of the type."""
        return self.schema.block

    def validate(self, properties: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The problems of a configuration as (property, sentence); raises PropertyError."""
        config = to_terraform(self.block, properties)
        response = self._client.call(
            "ValidateResourceTypeConfig",
            self._messages.ValidateResourceTypeConfig.Request(
                type_name=self.type_name, config=self._client.dynamic(config)
            ),
        )
        return [
            (self._property(diagnostic.attribute), sentence(diagnostic))
            for diagnostic in response.diagnostics
            if errors([diagnostic])
        ]

    def _property(self, path: Any) -> str:
        name = path.steps[0].attribute_name if path.steps else ""
        known = name in self.block.attributes or name in self.block.blocks
        return self.block.property_of(name) if known else name

    def plan(self, prior: RawState | None, properties: Mapping[str, Any]) -> Plan:
        """Plan a create or an update; raises PropertyError and ProviderError."""
        config = to_terraform(self.block, properties)
        before = prior.values if prior else None
        response = self._client.call(
            "PlanResourceChange",
            self._messages.PlanResourceChange.Request(
                type_name=self.type_name,
                prior_state=self._client.dynamic(before),
                proposed_new_state=self._client.dynamic(proposed_state(self.block, before, config)),
                config=self._client.dynamic(config),
                prior_private=prior.private if prior else b"",
            ),
        )
        check(response.diagnostics)
        planned = unpack(response.planned_state)
        return Plan(
            config=config,
            planned=planned,
            private=response.planned_private,
            changes=changes(self.block, before, planned) if before is not None else (),
            replace_paths=[_steps(path) for path in response.requires_replace],
        )

    def apply(self, prior: RawState | None, plan: Plan) -> Applied:
        """Carry out a plan; raises ProviderError only if the provider itself ended."""
        return self._apply(prior, plan.config, plan.planned, plan.private)

    def delete(self, prior: RawState) -> Applied:
        """Delete the resource; raises ProviderError."""
        response = self._client.call(
            "PlanResourceChange",
            self._messages.PlanResourceChange.Request(
                type_name=self.type_name,
                prior_state=self._client.dynamic(prior.values),
                proposed_new_state=self._client.dynamic(None),
                config=self._client.dynamic(None),
                prior_private=prior.private,
            ),
        )
        check(response.diagnostics)
        return self._apply(prior, None, None, response.planned_private)

    def _apply(
        self,
        prior: RawState | None,
        config: dict[str, Any] | None,
        planned: dict[str, Any] | None,
        private: bytes,
    ) -> Applied:
        response = self._client.call(
            "ApplyResourceChange",
            self._messages.ApplyResourceChange.Request(
                type_name=self.type_name,
                prior_state=self._client.dynamic(prior.values if prior else None),
                planned_state=self._client.dynamic(planned),
                config=self._client.dynamic(config),
                planned_private=private,
            ),
        )
        values = unpack(response.new_state)
        state = RawState(values, response.private, self.schema.version) if values else None
        return Applied(state, errors(response.diagnostics))

    def read(self, current: RawState) -> RawState | None:
        """The state as it is now, or None if the resource is gone; raises ProviderError."""
        response = self._client.call(
            "ReadResource",
            self._messages.ReadResource.Request(
                type_name=self.type_name,
                current_state=self._client.dynamic(current.values),
                private=current.private,
            ),
        )
        check(response.diagnostics)
        values = unpack(response.new_state)
        return RawState(values, response.private, self.schema.version) if values else None

    def changes(self, before: RawState, after: RawState) -> Sequence[Change]:
        """The differences between two states."""
        return changes(self.block, before.values, after.values)

    def import_state(self, identifier: str) -> RawState | None:
        """The state of a resource that exists already, or None if there is none; raises
        ProviderError."""
        response = self._client.call(
            "ImportResourceState",
            self._messages.ImportResourceState.Request(type_name=self.type_name, id=identifier),
        )
        check(response.diagnostics)
        for imported in response.imported_resources:
            if imported.type_name == self.type_name:
                state = RawState(unpack(imported.state), imported.private, self.schema.version)
                return self.read(state)
        return None

    def upgraded(self, state: RawState) -> RawState:
        """The state in the schema version of the provider in use; raises ProviderError."""
        if state.version == self.schema.version:
            return state
        response = self._client.call(
            "UpgradeResourceState",
            self._messages.UpgradeResourceState.Request(
                type_name=self.type_name,
                version=state.version,
                raw_state=self._messages.RawState(json=json.dumps(state.values).encode()),
            ),
        )
        check(response.diagnostics)
        return RawState(unpack(response.upgraded_state), state.private, self.schema.version)


def _steps(path: Any) -> tuple[Step, ...]:
    return tuple(getattr(step, step.WhichOneof("selector")) for step in path.steps)
