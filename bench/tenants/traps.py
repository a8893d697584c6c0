"""The traps by name; what each of them is stands in ``traps_of_times`` and ``traps_of_copies``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.tenants.description import Meeting

if TYPE_CHECKING:
    from bench.tenants.aim import Aim

ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
)
#: Traps that only a closure of organizers meets with; all others need a closed room.
OF_ORGANIZERS = ("nobody invited", "only invited", "without a room")

Recipe = Callable[["Aim", Meeting], Meeting]
TRAPS: dict[str, Recipe] = {}


def trap(recipe: Recipe) -> Recipe:
    """Enter a recipe, which makes a plain meeting into a trap, under the words of its name."""
    TRAPS[recipe.__name__.replace("_", " ").strip()] = recipe
    return recipe


def maybe_a_date(aim: Aim, meeting: Meeting) -> Meeting:
    """Make some meetings a date of a series, so that a trap is met with in both."""
    return aim.weekly(meeting)[0] if aim.rng.random() < 0.4 else meeting
