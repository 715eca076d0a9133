"""Fifty texts that peers are checked with: one sentence or two, names and none, letters beyond ASCII, quotes."""

from itertools import product

_WHO = (
    "Ada Lovelace of London",
    "The board of Siemens",
    "Nobody in the small village",
    "Dr. José García-Márquez",
    '"Teddy" Roosevelt',
    "angela merkel",
    "Zoë from the University of Kraków",
    "My neighbour's old dog",
    "Reuters",
    "MR. O'BRIEN OF THE WORLD BANK",
)
_WHAT = (
    "wrote to Charles Babbage about the engine that he wanted to build in Turin.",
    "slept.",
    "said that prices would rise again in New York and Paris next week, but few at the Bank of England agreed.",
    "went home. In the morning Ms. Curie left for Warsaw!",
    "waited 😀 for the 10:45 train to São Paulo",
)
SENTENCES: tuple[str, ...] = tuple(f"{who} {what}" for who, what in product(_WHO, _WHAT))
