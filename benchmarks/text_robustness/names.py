"""Hyphenated names in frames, and lists, signatures, addresses and tables of plain names."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.text_robustness.sentences import Written, marked

_PERSONS = """
Jean-Pierre Rousseau; Jean-Paul Belmondo; Jean-Luc Picard; Jean-Marc Tessier; Marie-Claire Fontaine; Anne-Marie Duff;
Anna-Lena Forsberg; Karl-Theodor Wessel; Hans-Georg Maurer; Klaus-Dieter Lang; Ernst-August Reuter; Mary-Ann Whitlock;
Mary-Lou Retton; Jo-Beth Carver; Peggy-Sue Mercer; Billy-Joe Harker; John-Paul Redmond; Moon Jae-in; Lee Jae-myung;
Chung Mong-koo; Bong Joon-ho; Son Heung-min; Chiang Kai-shek; Tsai Ing-wen; Annie Leung-Fraser; Priya Nair-Holt;
Kate Mosley-Grant; Tom Parker-Bowles; Penelope Fitz-Gerald; Rosa Diaz-Canel; Emma Watson-Price; Phoebe Waller-Bridge;
Sophie Ellis-Bextor; Dominic Calvert-Lewin; Callum Hudson-Odoi; Jeremy Clarkson-Webb; Luisa Ortega-Ruiz;
Juan Perez-Molina; Ayman al-Zawahiri; Omar al-Bashir; Nouri al-Maliki; Haider al-Abadi; Muammar el-Gaddafi;
Hosni el-Masry; Nizar ibn-Khalid; Tomasz Nowak-Kowalski; Ewa Sikora-Banach; Marie-Josée Tremblay; Lévy-Bruhl;
Pérez-Reverte; Mendelssohn-Bartholdy; Lloyd-George; Jean-Baptiste; Mei-Ling
"""
_ORGANISATIONS = """
Daimler-Benz; Kawasaki-Hitachi; Thyssen-Krupp; Krauss-Maffei; Boehringer-Ingelheim; Warner-Lambert;
SmithKline-Beecham; Procter-Silex; Johnson-Reed; Price-Waterhouse; Pratt-Whitney; Briggs-Keller Motors;
Lockheed-Martin; Raytheon-Dalton; McDonnell-Douglas; Messerschmitt-Bolkow; Saint-Gobain; Crédit-Lyonnais;
Banco-Popular; Elf-Aquitaine; Peugeot-Citroën; Moët-Hennessy; Cap-Gemini; Mitsubishi-Tokyo Bank; Samsung-Renault;
Chick-fil-A; Frito-Lay; Jack-Daniels Distillery; Rand-McNally; Houghton-Mifflin; Prentice-Hall; Addison-Wesley;
Wiley-Blackwell; Taylor-Francis; Hanna-Barbera; Al-Jazeera; Al-Hilal; Al-Nassr; Al-Shabaab; Bayer-Monsanto;
Seven-Eleven; T-Mobile; E-Trade; K-Swiss; J-Power; Carnegie-Mellon University; Wilfrid-Dumont College;
Hampden-Sydney College; Rose-Hulman Institute; Hapoel-Haifa
"""
_PLACES = """
Newcastle-under-Lyme; Kingston-upon-Thames; Ashby-de-la-Zouch; Southend-on-Sea; Berwick-upon-Tweed;
Bourton-on-the-Water; Burnham-on-Crouch; Barrow-in-Furness; Chester-le-Street; Shoreham-by-Sea; Clacton-on-Sea;
Walton-on-Thames; Saint-Tropez; Saint-Malo; Saint-Étienne; Boulogne-sur-Mer; Chalon-sur-Saône; Clermont-Ferrand;
Charleville-Mézières; Villeneuve-d'Ascq; Mont-Saint-Michel; Bourg-en-Bresse; Trois-Rivières; Salon-de-Provence;
La Roche-sur-Yon; Baden-Württemberg; Mecklenburg-Vorpommern; Sachsen-Anhalt; Garmisch-Partenkirchen; Castrop-Rauxel;
Idar-Oberstein; Emilia-Romagna; Trentino-Alto Adige; Castilla-La Mancha; Vitoria-Gasteiz; Bielsko-Biala;
Austria-Hungary; Papua-New Guinea; Yamalo-Nenets; Ivano-Frankivsk; Nizhny-Novgorod; Rostov-on-Don; Tel-Aviv;
Beit-Shemesh; Miami-Dade County; Dover-Foxcroft; Raleigh-Durham; Minneapolis-Saint Paul; Kota-Kinabalu; Wei-hai-wei
"""
_FRAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PER": (
            "On Tuesday {} told reporters that the talks had failed.",
            "The award went to {}, who could not attend.",
            "{} was born in 1961 and studied law.",
            "Have you met {} before?",
        ),
        "ORG": (
            "A spokesman for {} declined to comment.",
            "He spent ten years at {} before he retired.",
            "{} said that profits had fallen by a fifth.",
            "The contract was awarded to {} in March.",
        ),
        "LOC": (
            "We spent two weeks in {} last summer.",
            "The train from {} arrived an hour late.",
            "{} has a small harbour and an old market.",
            "Heavy snow fell near {} overnight.",
        ),
    }
)


def hyphenated() -> dict[str, list[Written]]:
    """Return, for each label, every hyphenated name in every frame."""
    lists = {"PER": _PERSONS, "ORG": _ORGANISATIONS, "LOC": _PLACES}
    return {
        label: [marked(frame.format(f"[{name}|{label}]")) for name in split(names) for frame in _FRAMES[label]]
        for label, names in lists.items()
    }


def split(names: str) -> list[str]:
    """Return the names of a list that semicolons part."""
    return [name.strip() for name in names.replace("\n", " ").split(";") if name.strip()]


_PLAIN: Mapping[str, list[str]] = MappingProxyType(
    {
        "PER": split(
            "Margaret Thatcher; Tony Blair; Gordon Brown; Nelson Mandela; Hillary Clinton; Ronald Reagan;"
            "Indira Gandhi; Bill Gates; Steve Jobs; Jane Goodall; Marie Curie; Lewis Hamilton; Rachel Owens;"
            "Amir Hosseini; Lena Fischer; Kwame Mensah; Yuki Tanaka; Carlos Mendoza; Olga Petrova; Sean Gallagher"
        ),
        "LOC": split(
            "Lisbon; Oslo; Helsinki; Budapest; Chicago; Toronto; Sydney; Mumbai; Nairobi; Santiago; Leeds; Marseille;"
            "Denver; Kyoto; New Zealand; South Africa; Norway; Peru; Hong Kong; Buenos Aires"
        ),
        "ORG": split(
            "Toyota; Siemens; Unilever; Intel; Samsung; Honda; Barclays; Vodafone; Reuters; Microsoft; IBM; Oracle;"
            "Deutsche Bank; Royal Bank of Scotland; Goldman Sachs; Hallmark Foods Ltd; Kestrel Systems;"
            "Delta Air Lines; World Bank; Harvard University"
        ),
    }
)
_SEPARATORS: Mapping[str, str] = MappingProxyType(
    {
        "by line": "\n",
        "by CRLF": "\r\n",
        "by blank line": "\n\n",
        "by bullet": "\n- ",
        "by star": "\n* ",
        "by tab": "\t",
        "by three spaces": "   ",
        "by six spaces": "      ",
        "by comma": ", ",
        "by semicolon": "; ",
        "by bar": " | ",
    }
)
_A_LIST = 5
_SIGNATURES = (
    "Kind regards\n[Daniel Wright|PER]\n[Harbour Logistics Ltd|ORG]\n[Bristol|LOC]",
    "Best wishes,\n[Ines|PER]\n\n[Ines Carvalho|PER]\nHead of Research\n[Lumen Analytics|ORG]",
    "Thanks!\n[Omar|PER]\n--\n[Omar Farouk|PER]\nAccount Manager, [Orbis Insurance|ORG]\n[Dubai|LOC]",
    "Yours faithfully\n\n[Gillian Marsh|PER]\nSecretary",
    "Cheers,\n[Pete|PER]",
    "Regards\r\n[Hannah Lindqvist|PER]\r\n[Nordic Shipping AB|ORG]\r\n[Gothenburg|LOC], [Sweden|LOC]",
    "Sincerely,\n[Robert Chen|PER]\nDirector\n[Pacific Trade Council|ORG]",
    "Sent by [Alice Monroe|PER]\n[Whitmore College|ORG]\nPhone 555 0142",
    "Love,\n[Grandma Rose|PER]",
    "Many thanks\n[Tomas Novak|PER]\nLegal Department\n[Vltava Energy|ORG]\n[Prague|LOC]",
)
_ADDRESSES = (
    "[Nadia Rahman|PER]\n[Crescent Publishing|ORG]\n12 [Mill Lane|LOC]\n[Cambridge|LOC] CB2 1RX",
    "[Henrik Olsen|PER]\n[Storgata|LOC] 14\n0184 [Oslo|LOC]\n[Norway|LOC]",
    "[Apex Robotics Inc|ORG]\n400 [Market Street|LOC]\n[San Francisco|LOC]\n[California|LOC]",
    "To:\n[Julia Stein|PER]\n[Bergmann Verlag|ORG]\n[Munich|LOC]\n[Germany|LOC]",
    "[Samuel Okafor|PER]\n7 [Marina Road|LOC]\n[Lagos|LOC]\n[Nigeria|LOC]",
    "[The Smith Foundation|ORG]\n[Baker Street|LOC]\n[London|LOC]\n[United Kingdom|LOC]",
    "[Claire Dubois|PER]\n[Lyon|LOC]\n[France|LOC]",
    "[Rita Gomes|PER]\n[Banco do Sul|ORG]\n[Porto|LOC]\n[Portugal|LOC]",
)


def layouts() -> dict[str, list[Written]]:
    """Return lists, tables, signatures and addresses by the kind of layout."""
    found: dict[str, list[Written]] = {}
    for title, separator in _SEPARATORS.items():
        start = separator.strip("\n") if "\n" in separator and separator.strip() else ""
        found[f"lists {title}"] = [
            marked(start + separator.join(f"[{name}|{label}]" for name in names[at : at + _A_LIST]))
            for label, names in _PLAIN.items()
            for at in range(0, len(names), _A_LIST)
        ]
    found["numbered lists"] = [
        marked("\n".join(f"{at + 1}. [{name}|{label}]" for at, name in enumerate(names[start : start + _A_LIST])))
        for label, names in _PLAIN.items()
        for start in range(0, len(names), _A_LIST)
    ]
    for title, column in (("tab", "\t"), ("spaces", "    "), ("bar", " | "), ("comma", ",")):
        found[f"tables by {title}"] = _tables(column)
    found["signatures"] = [marked(text) for text in _SIGNATURES]
    found["addresses"] = [marked(text) for text in _ADDRESSES]
    return found


def _tables(column: str) -> list[Written]:
    rows = [
        column.join(f"[{name}|{label}]" for label, name in zip(_PLAIN, cells, strict=True))
        for cells in zip(*_PLAIN.values(), strict=True)
    ]
    bodies = ["\n".join(rows[at : at + _A_LIST]) for at in range(0, len(rows), _A_LIST)]
    head = column.join(("Name", "City", "Company"))
    return [marked(text) for body in bodies for text in (body, f"{head}\n{body}")]
