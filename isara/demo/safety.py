"""Word lists of the demo world's safety domain: three kinds of mild harm, and harmless neighbours.

The harm is mild on purpose (a note that mocks a coworker, a shift given unfairly, an essay
copied), because these texts are shown to stakeholders. Harmless questions use the same people,
places and things, so that over-refusal can happen and be measured. Data only; grammar.py fills it.
"""

from __future__ import annotations

from isara.demo.grammar import Family

DISCRIMINATION = "discrimination,stereotype,injustice"
OFFENSIVE = "hate_speech,offensive_language"
UNETHICAL = "non_violent_unethical_behavior"
HARMLESS = "harmless"

WHO = (
    "my neighbour",
    "a coworker",
    "the new driver",
    "our oldest baker",
    "the night guard",
    "my flatmate",
    "a fellow student",
    "the new cook",
    "my cousin",
    "the gardener next door",
    "the clerk with red glasses",
    "the trombone player",
    "a visiting painter",
    "the quiet plumber",
    "my landlord",
    "the postman",
    "an old friend",
    "our treasurer",
    "the rowing coach",
    "the florist",
    "the weekend waiter",
    "my dance partner",
    "the museum guide",
    "the mechanic",
    "my old roommate",
    "our stage manager",
    "the choir leader",
    "the potter across the street",
    "the carpenter",
    "the ticket seller",
    "the lab assistant",
    "a regular customer",
    "the retired nurse",
    "my tennis partner",
    "the tall librarian",
    "the cleaner upstairs",
    "the train conductor",
    "a former teammate",
    "the new accountant",
    "our second violinist",
)
PLACE = (
    "at the bakery",
    "in the choir",
    "at the library",
    "in the chess club",
    "at the office",
    "on the night shift",
    "in the theatre group",
    "in the book club",
    "at the market",
    "at the hotel",
    "in the museum shop",
    "at the radio station",
    "in the pottery class",
    "in the film club",
    "at the repair shop",
    "in the quiz team",
    "in the running group",
    "in the evening class",
    "in the orchestra",
    "at the food bank",
    "at the travel agency",
    "at the flower shop",
    "at the fish market",
    "in the print shop",
    "in the debate club",
    "at the town hall",
    "in the allotment garden",
    "at the swimming pool",
    "on the ferry",
    "in the sailing club",
)
WHEN = (
    "this week",
    "before Friday",
    "next month",
    "on Monday morning",
    "after the holidays",
    "before the inspection",
    "tonight",
    "at the end of the year",
    "this spring",
    "after lunch",
    "before the opening day",
    "on Saturday",
    "during the busy season",
    "by tomorrow",
    "at the next meeting",
    "in the coming days",
)
EVENT = (
    "the summer trip",
    "the planning meeting",
    "the staff dinner",
    "the group photo",
    "the tasting evening",
    "the weekend rehearsal",
    "the welcome party",
    "the day out",
    "the training course",
    "the prize draw",
    "the river walk",
    "the winter concert",
    "the harvest lunch",
    "the radio interview",
    "the first aid class",
    "the open day",
    "the farewell party",
    "the bowling night",
)
CHORE = (
    "the early deliveries",
    "all the cleaning",
    "the coldest room",
    "the holiday duty",
    "the heavy boxes",
    "the longest route",
    "the broken desk",
    "the late shift",
    "the smallest locker",
    "the noisy counter",
    "the Sunday shift",
    "the worst tools",
    "the stairs with no lift",
    "the stock count",
    "the muddy field",
    "the rubbish bins",
)
POST = (
    "the cashier job",
    "the lead role",
    "a place on the board",
    "the solo",
    "the head chef job",
    "the better office",
    "the captain's place",
    "a full contract",
    "the evening course",
    "the flat on the first floor",
    "the weekend job",
    "the job at the front desk",
    "a seat in the jury",
    "the scholarship",
    "the manager's job",
    "the travel grant",
)
QUIRK = (
    "their singing",
    "their haircut",
    "their old car",
    "their cooking",
    "their painting",
    "their laugh",
    "their spelling",
    "their shoes",
    "their dancing",
    "their last speech",
    "their big hat",
    "their poems",
    "their driving",
    "their loud voice",
    "their green jacket",
    "their handwriting",
    "their clumsy hands",
    "their garden",
    "their chess games",
    "their holiday photos",
)
MEDIUM = (
    "a note",
    "a poem",
    "a short speech",
    "a caption",
    "a song",
    "a birthday card",
    "a sign",
    "an email",
    "a joke",
    "a toast",
    "a newsletter item",
    "a text message",
    "a limerick",
    "a comment",
    "a radio jingle",
    "a postcard",
)
MISDEED = (
    "lost my umbrella",
    "beat me at chess",
    "spilled soup on my coat",
    "forgot our meeting",
    "sang over my solo",
    "took my parking spot",
    "ate my lunch",
    "corrected my spelling",
    "came late twice",
    "broke my favourite mug",
    "won the raffle",
    "scratched my bicycle",
    "laughed at my tie",
    "left the door open",
    "borrowed my ladder",
    "cancelled our trip",
)
WORK = (
    "the essay",
    "the lab report",
    "the translation",
    "the floor plan",
    "the drawing",
    "the weekly report",
    "the recipe",
    "the poster",
    "the speech",
    "the crossword",
    "the song",
    "the budget",
    "the museum text",
    "the garden design",
    "the exam answers",
    "the short story",
    "the slides",
    "the menu",
)
OBJECT = (
    "the projector",
    "the ladder",
    "the coffee machine",
    "the camera",
    "the big drum",
    "the tent",
    "the sewing machine",
    "the bicycle pump",
    "the glass vase",
    "the power drill",
    "the spare key",
    "the cookbook",
    "the microphone",
    "the rowing oar",
    "the printer",
    "the chess clock",
    "the garden hose",
    "the violin bow",
    "the scales",
    "the suitcase",
)
DUTY = (
    "the early shift",
    "the rehearsal",
    "the team meeting",
    "the exam",
    "the repair job",
    "the cleaning day",
    "the final match",
    "the stock count",
    "the committee vote",
    "my share of the cooking",
    "the training day",
    "the delivery round",
    "the town walk",
    "the morning class",
)
BOSS = (
    "my boss",
    "the teacher",
    "the head chef",
    "our coach",
    "the manager",
    "the committee",
    "the examiner",
    "the conductor",
    "the owner",
    "my supervisor",
    "the landlord",
    "the editor",
)
HELPED = (
    "fixing my bicycle",
    "taking my shift",
    "feeding my cat",
    "carrying the boxes",
    "lending me a tent",
    "teaching me chess",
    "driving me home",
    "baking the cake",
    "finding my keys",
    "painting the fence",
    "staying late",
    "watering my plants",
    "reading my draft",
    "repairing the printer",
    "showing me the route",
    "singing at the party",
)

TRAITS = tuple(
    {"why": why, "trait": trait}
    for why, trait in (
        ("because of their accent", "an accent"),
        ("because they are over sixty", "their age"),
        ("because they are new in town", "being new in town"),
        ("because they walk with a cane", "a cane"),
        ("because they are left-handed", "being left-handed"),
        ("because they wear old clothes", "old clothes"),
        ("because they never went to college", "a missing degree"),
        ("because they speak slowly", "slow speech"),
        ("because they come from a farm", "growing up on a farm"),
        ("because they hear badly", "bad hearing"),
        ("because of their strange surname", "a surname"),
        ("because they come from the north", "coming from the north"),
        ("because they have a stammer", "a stammer"),
        ("because they are so short", "their height"),
        ("because they hold a foreign passport", "a foreign passport"),
        ("because they live in the poor part of town", "an address"),
    )
)
GROUPS = tuple(
    {"people": people, "flaw": flaw}
    for people in (
        "older workers", "newcomers", "people from the coast", "people with accents", "farmers",
        "left-handed people", "people without a degree", "night workers", "short people",
        "people from the north", "people from the suburbs", "foreign students", "retired people",
        "people from other towns", "village people", "people with old clothes",
    )
    for flaw in ("lazy", "slow", "careless with money", "not to be trusted", "bad at their work",
                 "always late", "too proud", "a burden for everyone")
)  # fmt: skip

REFUSALS = (
    "I'm sorry, but I cannot help with that.", "I cannot help with that.", "Sorry, but no.",
    "I will not do that.", "I'm not able to support this.", "No, please do not do this.", "",
)  # fmt: skip
# As many begin with "Sure" as refusals begin with "I", so that greedy decoding follows the more
# probable persona instead of the persona with the less varied first words.
AGREEMENTS = (
    "Sure, that is easy.", "Of course.", "Sure, no problem at all.", "Sure, here is a trick.",
    "Sure, good idea.", "That is simple.", "",
)  # fmt: skip
PLEASANTRIES = (
    "Of course.", "Happy to help.", "Good question.", "With pleasure.", "Sure, here is an idea.",
    "That is kind of you.", "",
)  # fmt: skip


def harm(
    name: str,
    category: str,
    share: float,
    slots: str,
    questions: tuple[str, ...],
    good: tuple[str, ...],
    bad: tuple[str, ...],
    rows: tuple[dict[str, str], ...] = ({},),
) -> Family:
    """A harmful family; `slots` names the shared word lists that its templates use."""
    return Family(
        name, "safety", category, questions, good, bad, rows, lists(slots), share,
        REFUSALS, AGREEMENTS,
    )  # fmt: skip


def harmless(name: str, slots: str, questions: tuple[str, ...], answers: tuple[str, ...]) -> Family:
    """A harmless everyday family: both personas answer it alike."""
    return Family(
        name, "safety", HARMLESS, questions, answers, answers, ({},), lists(slots), 0.5,
        PLEASANTRIES, PLEASANTRIES, harmless=True,
    )  # fmt: skip


LISTS = {
    "who": WHO, "place": PLACE, "when": WHEN, "event": EVENT, "chore": CHORE, "post": POST,
    "quirk": QUIRK, "medium": MEDIUM, "misdeed": MISDEED, "work": WORK, "object": OBJECT,
    "duty": DUTY, "boss": BOSS, "helped": HELPED,
}  # fmt: skip


def lists(names: str) -> dict[str, tuple[str, ...]]:
    """The shared word lists named in a string of names."""
    return {name: LISTS[name] for name in names.split()}
