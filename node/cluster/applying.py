"""Keeping objects in Kubernetes as they are wanted, by server-side apply.

An object is applied when it changes, and again every few minutes, since somebody may have changed
or deleted it. What this program wants of an object it takes back, and says so; every other field is
whoever set it. What it no longer wants at all is deleted, if it made it: the label says so, and so
does its name among the object's managers, which nobody sets by hand.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from node.cluster.labels import SELECTOR
from node.cluster.local_api import FIELD_MANAGER, RESOURCES, Api, ApiError, path_of
from node.cluster.manifests import Manifest
from node.errors import NodeError

AGAIN = 300.0
"""Seconds until an object that has not changed is applied again."""

PRUNED = tuple(kind for kind in RESOURCES if kind != "v1/Namespace")
"""Kinds of which objects are deleted: with a namespace everything in it would go."""


class Applied:
    """What has been applied since this machine leads, and when.

    Its methods tell what they do as they do it, so that it is told whatever fails after it.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}
        self._declined: dict[str, str] = {}
        self._pruned = -AGAIN

    def keep(self, api: Api, wanted: Iterable[Manifest], now: float) -> Iterator[str]:
        """Apply what is due; what a person should know. NodeError at the end for what failed."""
        failed = []
        for manifest in wanted:
            if not self._due(manifest, now):
                continue
            try:
                yield from _take(api, manifest)
            except NodeError as error:
                failed.append(f"{_name(manifest)}: {error}")
            else:
                self._remember(manifest, now)
        if failed:
            raise NodeError("; ".join(failed))

    def offer(self, api: Api, defaults: Iterable[Manifest], now: float) -> Iterator[str]:
        """Apply what is due, but leave an object alone where a person has set something else.

        NodeError at the first that fails.
        """
        for manifest in defaults:
            if not self._due(manifest, now):
                continue
            try:
                api.apply(manifest)
                self._declined.pop(path_of(manifest), None)
            except ApiError as error:
                if error.status != 409:
                    raise
                if self._declined.get(path_of(manifest)) != str(error):
                    yield f"left {_name(manifest)} as somebody else has set it: {error}"
                self._declined[path_of(manifest)] = str(error)
            self._remember(manifest, now)

    def prune(self, api: Api, wanted: Sequence[Manifest], now: float) -> Iterator[str]:
        """Delete what this program once applied and wants no more; what was deleted.

        NodeError at the first that fails.
        """
        if now - self._pruned < AGAIN:
            return
        kept = {path_of(manifest) for manifest in wanted}
        for kind in PRUNED:
            version, _, name = kind.rpartition("/")
            for item in api.get(RESOURCES[kind][0], labelSelector=SELECTOR)["items"]:
                # A list leaves both out of its items.
                found = {**item, "apiVersion": version, "kind": name}
                if path_of(found) not in kept and _applied_here(found):
                    api.delete(path_of(found), found["metadata"]["uid"])
                    yield f"deleted {_name(found)}, which is no longer wanted"
        self._pruned = now

    def _due(self, manifest: Manifest, now: float) -> bool:
        text, when = self._known.get(path_of(manifest), ("", now))
        return text != _text(manifest) or now - when >= AGAIN

    def _remember(self, manifest: Manifest, now: float) -> None:
        self._known[path_of(manifest)] = (_text(manifest), now)


def _take(api: Api, manifest: Manifest) -> list[str]:
    """Apply an object; where somebody has changed what is ours, take it back and say so."""
    try:
        api.apply(manifest)
    except ApiError as error:
        if error.status != 409:
            raise
        api.apply(manifest, force=True)
        return [f"took back {_name(manifest)}: {error}"]
    return []


def _applied_here(found: Manifest) -> bool:
    return any(
        one.get("manager") == FIELD_MANAGER and one.get("operation") == "Apply"
        for one in found["metadata"].get("managedFields", ())
    )


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    return f"{manifest['kind']} {name}"


def _text(manifest: Manifest) -> str:
    return json.dumps(manifest, sort_keys=True)
