"""Who and what there is in a random tenant: rooms in buildings and lists, and people of every kind."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.tenants.description import Person, Reach, Room

DOMAIN, LABS, ROOMS = "contoso.example", "contoso-labs.example", "rooms.contoso.example"
BUILDINGS = ("North Tower", "St. John's Yard", "Gate A&B #2")
OUTSIDE = ("fabrikam.example", "tailspin.example", "notcontoso.example", "contoso.example.fabrikam.example")
LISTS = (f"everything-with-a-door@{DOMAIN}", f"quiet@{ROOMS}")
#: What the keep patterns of closures look for; the names of some people do so too, and must not be taken for subjects.
KEPT_SUBJECTS = ("Board meeting", "Customer visit: Fabrikam", "[keep] Fire drill")
KEEP_PATTERNS = ("Board*", "*visit: Fabrikam", "[[]keep[]]*")


@dataclass(frozen=True)
class Cast:
    """Everybody who can organize, be invited or be booked; ``kept`` organizers are those that closures keep."""

    rooms: tuple[Room, ...]
    room_lists: dict[str, tuple[str, ...]]
    people: tuple[Person, ...]
    groups: tuple[str, ...]
    kept: tuple[str, ...]
    guests: tuple[str, ...]

    def organizers(self, reach: Reach = Reach.READABLE) -> list[Person]:
        """Return the people whose mailboxes are of that kind, those that are never kept."""
        return [each for each in self.people if each.reach is reach and each.address not in self.kept]


def draw_cast(rng: random.Random) -> Cast:
    """Draw rooms and people."""
    rooms = _rooms(rng)
    addresses = [room.address for room in rooms]
    return Cast(
        rooms,
        {name: tuple(rng.sample(addresses, rng.randint(3, 5))) for name in LISTS},
        _people(rng),
        (f"everybody@{DOMAIN}", f"night-shift@{LABS}"),
        (f"chair@{DOMAIN}", f"chair@{LABS}"),
        (*(f"{name}@{domain}" for name in ("guest", "Partner") for domain in OUTSIDE), f"Contractor@{DOMAIN.upper()}"),
    )


def _rooms(rng: random.Random) -> tuple[Room, ...]:
    found = []
    for number in range(rng.randint(8, 15)):
        # A building's rooms are of both domains, and the last room is of no building.
        building = BUILDINGS[number % 3] if number != 7 else None
        domain = ROOMS if number // 3 % 2 else DOMAIN
        found.append(Room(f"room-{number}@{domain}", f"Room {number}", building, tidy=rng.random() < 0.2))
    return tuple(found)


def _people(rng: random.Random) -> tuple[Person, ...]:
    found = []
    for number in range(rng.randint(16, 32)):
        domain = LABS if number % 4 == 3 else DOMAIN
        aliases = (f"p{number}@{domain}", f"person.{number}@old.{DOMAIN}") if number % 3 == 0 else ()
        name = f"Board member {number}" if number % 5 == 0 else f"Person {number}"
        found.append(Person(f"person-{number}@{domain}", name, aliases=aliases))
    for number in range(2):
        found.append(Person(f"left-{number}@{DOMAIN}", f"Left {number}", Reach.DEPARTED))
        found.append(Person(f"secret-{number}@{DOMAIN}", f"Secret {number}", Reach.DENIED, (f"s{number}@{DOMAIN}",)))
        found.append(Person(f"legacy-{number}@{DOMAIN}", f"Legacy {number}"))
    found += [Person(f"chair@{domain}", "Customer visit: Fabrikam") for domain in (DOMAIN, LABS)]
    return tuple(found)
