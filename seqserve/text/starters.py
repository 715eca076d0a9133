"""Closed classes of English words that say whether the period of an abbreviation ends its sentence."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that begin sentences and, after an abbreviation, hardly anything else.
STARTERS = _words(
    "A After All Although An And Another As At Because Before Both But By Do Does Each Even Every Few For From Had Has "
    "Have He Her Here His How However I If In Is It Its Many May Meanwhile Most My No Nobody Not Now On Once One Or "
    "Our Perhaps She Since So Some Still That The Their Then There These They This Those Though Thus To Under Until "
    "Was We Were What When Where Whether Which While Who Why Will With Yes Yet You Your"
)
_TITLES = _words(
    "Adm Atty Brig Capt Cmdr Col Cpl Dr Drs Ft Gen Gov Hon Lt Maj Messrs Mr Mrs Ms Msgr Mt Pres Prof Rep Reps Rev Sen "
    "Sens Sgt Supt"
)
_BEFORE_MORE = _words("approx cf e.g eg est i.e ie No Nos pp tel v Vol vs")
# Abbreviations that stand before what they belong to: their period never ends a sentence.
NEVER_LAST = frozenset(
    f"{form}." for word in _TITLES | _BEFORE_MORE for form in (word, word.upper(), word.lower(), word.capitalize())
)
# Written small within names and titles.
SMALL_WORDS = _words(
    "a al am an and at bin da de del der des di do du el en et for in la le of on or sur the to upon van von y"
)


def ends_before_starter(token: str) -> bool:
    """Say whether a token is an abbreviation whose period may end a sentence, where a starter follows."""
    return len(token) > 1 and token[-1] == "." and token[-2].isalnum() and token not in NEVER_LAST
