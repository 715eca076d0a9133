"""Kinds of sentences that news and web text hold few of: twenty of each."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.text_robustness.names import split
from benchmarks.text_robustness.sentences import Written, marked_all

_FIRMS_X_AND_Y = (
    "Marks & Spencer; Johnson & Johnson; Smith & Wesson; Ernst & Young; Dolce & Gabbana; Abercrombie & Fitch;"
    "Bed & Bath; Tate & Lyle; Dun & Bradstreet; Harper & Row"
)
_SHARES_OF = "Tesco; Adidas; Lenovo; Danone; Starbucks; Ryanair; Chevron; Novartis; Target; Gap"

GAPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "score lines": (
            "[Everton|ORG] 3 [Fulham|ORG] 0",
            "[Leeds United|ORG] 1-1 [Derby County|ORG]",
            "[Lyon|ORG] 2, [Nantes|ORG] 2",
            "[Ajax|ORG] 4 - 0 [Feyenoord|ORG]",
            "[Kane|PER] 23', [Son|PER] 67'",
            "Goals: [Rashford|PER] 8, [Haaland|PER] 55, [Foden|PER] 90",
            "1 [Blake|PER] 9.87",
            "2. [Gatlin|PER] 9.91 3. [Powell|PER] 9.95",
            "[Federer|PER] 6-4 7-6 [Murray|PER]",
            "[Spain|LOC] 2 [Italy|LOC] 1",
            "[Brazil|LOC] 0-3 [Croatia|LOC]",
            "[Durant|PER] 28 pts, [Irving|PER] 19 pts",
            "HR: [Ortiz|PER] (31), [Pujols|PER] (28)",
            "W: [Kershaw|PER] (12-4). L: [Price|PER] (9-7).",
            "[Celtics|ORG] 101, [Knicks|ORG] 98",
            "[Toronto|ORG] 5 [Montreal|ORG] 2 (OT)",
            "Scorers: [Benzema|PER] 14, [Modric|PER] 80",
            "[Sussex|ORG] 241-6 ([Wright|PER] 88)",
            "1. [Hamilton|PER] 25 2. [Verstappen|PER] 18",
            "[Wolves|ORG] v [Burnley|ORG], 3pm",
        ),
        "shares of": tuple(
            text.format(firm)
            for number, firm in enumerate(split(_SHARES_OF))
            for text in (
                "Shares of [{}|ORG] fell sharply on Friday.",
                ("[{}|ORG] shares closed higher.", "Stock in [{}|ORG] was little changed.")[number % 2],
            )
        ),
        "firms X & Y": tuple(
            text.format(firm)
            for firm in split(_FIRMS_X_AND_Y)
            for text in ("[{}|ORG] opened two new branches.", "She has an account with [{}|ORG].")
        ),
        "firms named like persons": (
            "[Calvin Klein|ORG] opened a shop in [Rome|LOC].",
            "[Ralph Lauren|ORG] cut its forecast.",
            "[Tommy Hilfiger|ORG] makes shirts.",
            "[Hugo Boss|ORG] raised its dividend.",
            "[Eli Lilly|ORG] won approval for the drug.",
            "[John Deere|ORG] recalled the tractors.",
            "[Wells Fargo|ORG] closed forty branches.",
            "[Philip Morris|ORG] lost the appeal.",
            "[Ben & Jerry's|ORG] has a new flavour.",
            "[Arthur Andersen|ORG] audited the books.",
            "[Jack Wolfskin|ORG] sells tents.",
            "[Jenny Craig|ORG] filed for bankruptcy.",
            "[Sara Lee|ORG] sold its bakery unit.",
            "[Edward Jones|ORG] hired two hundred brokers.",
            "[Fisher Price|ORG] makes toys.",
            "[Dean Witter|ORG] cut jobs.",
            "He owns stock in [Raymond James|ORG].",
            "She is an analyst at [Piper Sandler|ORG].",
            "[Thomas Cook|ORG] cancelled the flights.",
            "[Wendy's|ORG] raised its prices.",
        ),
        "common words first": (
            "Mark your answers clearly.",
            "Bill me later.",
            "Rich people pay more.",
            "Rob a bank and you go to jail.",
            "Jack up the car first.",
            "Rose petals covered the floor.",
            "Will you be there?",
            "May I come in?",
            "Frank advice is rare.",
            "Pearl earrings suit her.",
            "Summer is nearly over.",
            "Art is long and life is short.",
            "Penny stocks are risky.",
            "Joy filled the room.",
            "Grace periods are short.",
            "Earnest efforts were made.",
            "Crystal glasses broke.",
            "Victor and vanquished shook hands.",
            "Miles from home, we ran out of petrol.",
            "Olive oil is healthy.",
        ),
        "institutions": (
            "She studied at the [University of California at Berkeley|ORG].",
            "The [Museum of Science and Industry|ORG] is closed.",
            "The [Ministry of Trade and Industry|ORG] denied it.",
            "He joined the [Department of Agriculture and Fisheries|ORG].",
            "The [School of Oriental and African Studies|ORG] published the report.",
            "The [University of Illinois at Chicago|ORG] hired him.",
            "The [Securities and Exchange Commission|ORG] opened an inquiry.",
            "The [Institute for Health Metrics and Evaluation|ORG] made the estimate.",
            "The [Royal College of Physicians and Surgeons|ORG] met on Monday.",
            "The [Organization for Security and Co-operation in Europe|ORG] sent observers.",
            "He teaches at the [London School of Hygiene and Tropical Medicine|ORG].",
            "The [National Oceanic and Atmospheric Administration|ORG] issued a warning.",
            "The [University of Michigan|ORG] won the grant.",
            "The [Centers for Disease Control and Prevention|ORG] agreed.",
            "A curator at the [Museum of Fine Arts|ORG] found the painting.",
            "The [Joint Committee on Banking and Credit|ORG] voted today.",
            "The [Bureau of Alcohol and Tobacco|ORG] seized the goods.",
            "The [Academy of Motion Picture Arts and Sciences|ORG] changed its rules.",
            "The [College of William and Mary|ORG] is old.",
            "The [University of Nebraska at Omaha|ORG] cancelled classes.",
        ),
    }
)


def gaps() -> dict[str, list[Written]]:
    """Return the sentences of each kind."""
    return {kind: marked_all(texts) for kind, texts in GAPS.items()}
