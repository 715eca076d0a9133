"""Sentences for a language model: right and misspelt, straight and typographic, in capitals, cut after a period."""

MISSPELT: tuple[tuple[str, str], ...] = (
    ("The children played in the garden untill dark.", "The children played in the garden until dark."),
    ("She recieved a letter from her brother.", "She received a letter from her brother."),
    ("He definately saw the man.", "He definitely saw the man."),
    ("The captain gave a diffrent order.", "The captain gave a different order."),
    ("It was a beautifull morning.", "It was a beautiful morning."),
    ("They were suprised to see him.", "They were surprised to see him."),
    ("I beleived every word of it.", "I believed every word of it."),
    ("The old man was very wierd.", "The old man was very weird."),
    ("Tommorow we go to the city.", "Tomorrow we go to the city."),
    ("The soldiers seperated at the bridge.", "The soldiers separated at the bridge."),
    ("We have enought money for the journey.", "We have enough money for the journey."),
    ("He spoke in a strange langauge.", "He spoke in a strange language."),
    ("She was an excelent teacher.", "She was an excellent teacher."),
    ("There was nothing neccesary to say.", "There was nothing necessary to say."),
    ("The doctor examined his stomache.", "The doctor examined his stomach."),
    ("He rememberd the house well.", "He remembered the house well."),
    ("The whole familly was at home.", "The whole family was at home."),
    ("The king lost his kingdon.", "The king lost his kingdom."),
    ("She was probaly asleep.", "She was probably asleep."),
    ("He promised to write imediately.", "He promised to write immediately."),
    ("It hapened in the night.", "It happened in the night."),
    ("Her knowlege of the world was small.", "Her knowledge of the world was small."),
    ("He had a stong arm.", "He had a strong arm."),
    ("The goverment fell in the spring.", "The government fell in the spring."),
    ("I would have recomended him.", "I would have recommended him."),
    ("The begining of the story is sad.", "The beginning of the story is sad."),
    ("Nobody notcied the open door.", "Nobody noticed the open door."),
    ("The road thorugh the forest was long.", "The road through the forest was long."),
    ("His neigbour had a large dog.", "His neighbour had a large dog."),
    ("We walked along the rivr.", "We walked along the river."),
)
"""(misspelt, right)."""

NONSENSE: tuple[tuple[str, str], ...] = (
    ("The wqeurt plokij vbnhgt.", "The small boat sank."),
    ("Xcvxx zzrt qwqq.", "He went away."),
    ("She hgjkd the ppoiu.", "She opened the window."),
    ("I fghjkl to the uiopp.", "I went to the church."),
    ("Mmnbv lkjhg fdsaq poiuy.", "Nobody answered the question."),
    ("They saw a trewqq.", "They saw a ghost."),
)
"""(nonsense, a sentence of as many tokens)."""

TYPOGRAPHIC: tuple[tuple[str, str], ...] = (
    ("He can’t see it.", "He can't see it."),
    ("It’s the king’s horse.", "It's the king's horse."),
    ("I’ve seen what they’ll do.", "I've seen what they'll do."),
    ("“Come in,” said she.", '"Come in," said she.'),
    ("“I won’t go,” he cried.", '"I won\'t go," he cried.'),
    ("She said, “No!”", 'She said, "No!"'),
    ("‘Wait,’ he said.", "'Wait,' he said."),
    ("He was gone… and that was all.", "He was gone... and that was all."),
    ("„Good,“ he said.", '"Good," he said.'),
    ("the boys’ books", "the boys' books"),
    ("O’Brien didn’t answer.", "O'Brien didn't answer."),
    ("rock ’n’ roll", "rock 'n' roll"),
    ("ﬁve ﬂowers", "five flowers"),
    ("the Ｋｉｎｇ was dead", "the King was dead"),
    ("a so\u00adlicitor of the court", "a solicitor of the court"),
    ("\ufeffThe door was open.", "The door was open."),
    ("The\u200b door was open.", "The door was open."),
    ("He spoke to José.".replace("é", "e\u0301"), "He spoke to José."),
)
"""(as typed by a program, as typed on a keyboard); both have one probability."""

N_BEST: tuple[tuple[str, ...], ...] = (
    ("We walked to the sea", "We walked two the see", "Wee walked to the sea"),
    ("He knew the right answer", "He new the write answer", "He knew the rite answer"),
    ("They have their own house", "They have there own house", "They halve their own house"),
    ("The sun shone on the water", "The son shone on the water", "The sun shown on the water"),
    ("I would like a piece of bread", "I wood like a peace of bread", "I would like a piece of bred"),
    ("The wind blew all night", "The wind blue all knight", "The wined blew all night"),
    ("She could not hear him", "She could knot here him", "She could not here hymn"),
    ("The soldiers fought for four days", "The soldiers fort for fore days", "The soldiers fought four for daze"),
    ("He threw the ball to his brother", "He through the bawl two his brother", "He threw the bawl to his brother"),
    ("It was a dark night in the winter", "It was a dark knight in the winter", "It was a dark nite in the wintre"),
    ("There was no one at the door", "Their was know won at the door", "There was no won at the door"),
    ("It was too late to go back", "It was to late two go back", "It was too late to go bak"),
)
"""The right one first; written in capitals the best must be the same."""

PROMPTS = (
    "I have just spoken to Mrs.",
    "The letter was written by Prof.",
    "They came in Oct.",
    "She waited from 9 a.m.",
    "He was a captain in the U.S.",
    "We saw the house of Lt.",
)
"""Prompts that end in an abbreviation: what follows goes on."""

ABBREVIATED = (
    "I saw Mr. Brown and Mrs. Green at St. Mary's.",
    "Dr. Grant left at 7 a.m. and came back at 9 p.m. on Monday.",
    "Capt. Hook lost a hand, e.g. to the crocodile, i.e. his foe.",
    "The U.S. Army and the U.K. Navy met in Sept. 1943.",
    "Prof. J. R. Marsh wrote it, cf. No. 5 on p. 12.",
    "Messrs. Wood and Co. sold ink, paper, etc. to Col. Hart.",
    "Gen. Lee and Lt. Ross rode to Ft. Worth, Tex. in Feb. of that year.",
    "Smith v. Jones was heard by Rev. Dr. Ames vs. Sen. Cole.",
    "He doesn't know that I can't, and we'll not ask: it's $5 or 10%.",
    "They cannot go; gonna stay, lemme see the boys' things.",
)
"""Sentences in which a period does not end."""
