"""What a reload may not do, and what it cannot do."""

from __future__ import annotations

from gateway.config.settings import Settings

# Read once, when the process starts.
SERVER = ("host", "port", "header_bytes_max", "body_bytes_max", "requests_max", "endpoint_hosts")
RECORDING = ("queue_max", "spool_bytes_max")


def refusal(before: Settings, after: Settings) -> str | None:
    """
    Why *after* must not replace *before* in a running process, None where it may. An empty or
    truncated file is a valid one: it would open the door, and answer clients with made-up text.
    """
    if before.keys and not after.keys:
        return "it has no keys any more, so everybody could call; restart to do that"
    if _is_real(before) and not _is_real(after):
        return "no real provider is left, so all answers would be simulated; restart to do that"
    return None


def needing_restart(before: Settings, after: Settings) -> tuple[str, ...]:
    """The settings that differ and stay as they are until the process starts again."""
    old, new = before.config, after.config
    found = [
        f"server.{name}"
        for name in SERVER
        if getattr(old.server, name) != getattr(new.server, name)
    ]
    found += [
        f"providers.{name}.connections_max"
        for name in sorted({*old.providers, *new.providers})
        if _connections_max(before, name) != _connections_max(after, name)
    ]
    if _state(before) != _state(after):
        found.append("state")
    if old.cache.shared != new.cache.shared:
        found.append("cache.shared")
    found += [
        f"recording.{name}"
        for name in RECORDING
        if getattr(old.recording, name) != getattr(new.recording, name)
    ]
    if old.classifier != new.classifier:
        found.append("classifier")
    return tuple(found)


def _is_real(settings: Settings) -> bool:
    fleet = settings.fleet
    return any(not place.simulated for place in (*fleet.deployments, *fleet.unlisted))


def _state(settings: Settings) -> tuple[object, ...]:
    return settings.database_url, settings.state, settings.config.state.journal_bytes_max


def _connections_max(settings: Settings, provider: str) -> int | None:
    found = settings.config.providers.get(provider)
    return None if found is None else found.connections_max
