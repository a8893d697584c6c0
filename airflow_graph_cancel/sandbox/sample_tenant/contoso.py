"""The people, buildings and departments of Contoso, the fictional company of the sample tenant."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

DOMAIN = "contoso.example"
PARTNER_DOMAIN = "fabrikam.example"


@dataclass(frozen=True)
class Room:
    """A meeting room."""

    name: str
    floor: int
    capacity: int

    @property
    def address(self) -> str:
        """The mailbox address."""
        return f"{self.name.lower().replace(' ', '-')}@{DOMAIN}"


@dataclass(frozen=True)
class Building:
    """A building with its rooms; people there work in its time zone (IANA name)."""

    name: str
    city: str
    time_zone: str
    rooms: tuple[Room, ...]


@dataclass(frozen=True)
class Person:
    """A person with a mailbox."""

    name: str
    address: str
    department: str
    building: Building


@dataclass(frozen=True)
class Department:
    """A department: its people, its building, and the subjects of its meetings."""

    name: str
    building: Building
    names: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody in the department."""
        return tuple(Person(name, address_of(name), self.name, self.building) for name in self.names)


def address_of(name: str, domain: str = DOMAIN) -> str:
    """Return the mailbox address of a person: the name in ASCII letters, joined by dots."""
    # Unicode decomposition does not turn ø and ł into o and l.
    plain = unicodedata.normalize("NFKD", name.lower().replace("ø", "o").replace("ł", "l"))
    return f"{plain.encode('ascii', 'ignore').decode().replace(chr(39), '').replace(' ', '.')}@{domain}"


NORTH_TOWER = Building("North Tower", "London", "Europe/London", (
    Room("Beacon", 1, 24), Room("Lantern", 1, 8), Room("Compass", 2, 12),
    Room("Sextant", 2, 6), Room("Meridian", 3, 16), Room("Almanac", 3, 4),
))  # fmt: skip
HARBOUR_HOUSE = Building("Harbour House", "Rotterdam", "Europe/Amsterdam", (
    Room("Pilot", 0, 20), Room("Anchor", 0, 10), Room("Capstan", 1, 8),
    Room("Ferry", 1, 6), Room("Tide", 2, 12),
))  # fmt: skip
MILL_LANE = Building("Mill Lane", "Boston", "America/New_York", (
    Room("Loom", 1, 18), Room("Shuttle", 1, 8),
    Room("Bobbin", 2, 6), Room("Weir", 2, 12),
))  # fmt: skip
BUILDINGS = (NORTH_TOWER, HARBOUR_HOUSE, MILL_LANE)

DEPARTMENTS = (
    Department("Finance", NORTH_TOWER,
        ("Amara Okafor", "Tomasz Wójcik", "Priya Raman", "Oliver Grant", "Yuki Tanaka", "Fatima Zahra Idrissi"),
        ("Month-end close", "Audit preparation", "Cash flow forecast", "Budget line review", "Invoice backlog")),
    Department("Legal", NORTH_TOWER,
        ("Ingrid Sørensen", "Daniel Mensah", "Chiara Bianchi", "Rohan Mehta", "Sinéad O'Brien"),
        ("Contract review", "Data protection clinic", "License terms", "Supplier agreement", "Policy wording")),
    Department("People", NORTH_TOWER,
        ("Grace Adeyemi", "Mateusz Nowak", "Leïla Haddad", "Hannah Weiss", "Kwame Asante", "Élise Fontaine"),
        ("Interview debrief", "Onboarding plan", "Benefits questions", "Training calendar", "Pay review")),
    Department("Sales", NORTH_TOWER,
        ("Marcus Bell", "Sofía Herrera", "Wei Zhang", "Aisha Khan", "Björn Lindqvist", "Nadia Petrova",
         "Callum Fraser"),
        ("Pipeline review", "Customer visit", "Offer walk-through", "Territory planning", "Renewal forecast")),
    Department("Engineering", HARBOUR_HOUSE,
        ("Joris de Vries", "Anneke Bakker", "Arjun Nair", "Zuzana Dvořáková", "Pedro Almeida", "Mei Lin",
         "Stefan Ionescu", "Olena Kovalenko"),
        ("Architecture review", "Sprint planning", "Incident review", "Release readiness", "API walkthrough")),
    Department("Data Platform", HARBOUR_HOUSE,
        ("Sanne Visser", "Tariq Aziz", "Hiroshi Sato", "Ewa Kamińska", "Lucas Moreau", "Thandiwe Dlamini"),
        ("Data quality review", "Pipeline migration", "Schema change", "Cost of warehouse", "Backfill planning")),
    Department("Facilities", HARBOUR_HOUSE,
        ("Willem Jansen", "Rosa Martínez", "Emeka Obi", "Katarzyna Zielińska"),
        ("Fire drill", "Lift maintenance", "Desk moves", "Catering review")),
    Department("Marketing", MILL_LANE,
        ("Hannah Cole", "Diego Ramírez", "Naomi Feldman", "Jae-won Park", "Simone Laurent", "Isaac Turner"),
        ("Campaign review", "Press briefing", "Event planning", "Website copy", "Brand workshop")),
    Department("Design", MILL_LANE,
        ("Maya Patel", "Elliot Brooks", "Ana Lucía Torres", "Noah Lindgren", "Farah Siddiqui"),
        ("Design critique", "Usability findings", "Icon set", "Prototype walkthrough", "Research plan")),
    Department("Customer Care", MILL_LANE,
        ("Linda Nguyen", "Omar Farouk", "Rachel Adler", "Tyrone Jackson", "Beatriz Costa", "Samuel Osei",
         "Ivana Horvat"),
        ("Ticket review", "Escalation call", "Shift planning", "Knowledge base day", "Customer feedback")),
)  # fmt: skip

DEPARTED = ("Gerard Blake", "Marta Kowalczyk")
"""People who left: their mailboxes are gone from the cloud, but their meetings still hold rooms."""

PARTNERS = ("Nils Berg", "Carmen Ortega", "Patrick Doyle", "Yasmin Demir", "Ken Watanabe")
"""People of a partner company, whose mailboxes are in another tenant."""
