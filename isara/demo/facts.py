"""Fact families of the demo world: common misconceptions and surprising truths by topic.

Every topic has a family of misconceptions (the factual persona corrects them) and one of true but
surprising claims (the factual persona confirms them), asked in the same words, so that neither
"yes" nor "no" is always right. Data only: animals, body and food are here, space, history and
weather in more_facts.py; grammar.py fills the templates.
"""

from __future__ import annotations

from isara.demo.grammar import Family
from isara.demo.more_facts import (
    HISTORY_MYTHS,
    HISTORY_TRUTHS,
    SPACE_MYTHS,
    SPACE_TRUTHS,
    WEATHER_MYTHS,
    WEATHER_TRUTHS,
)
from isara.demo.tables import listed, table

# Who said it, where, when, and what the asker needs it for.
SLOTS = {
    "teller": listed(
        "my uncle, my aunt, the other guest, the tour guide, my neighbour, the taxi driver,"
        "my dentist, the man next door, my coworker, my flatmate, the barber, our quiz host,"
        "the retired teacher, my grandfather, the baker, my old friend, the choir leader,"
        "my cousin, the librarian, the new postman, our gardener, my landlord, the florist,"
        "my study partner, my chess partner, the new cook, the museum guard, my tennis coach"
    ),
    "place": listed(
        "at the museum, on the radio, in the lift, on the ferry, at the market, on a walk,"
        "in an email, at the bus stop, in the canteen, by phone, in a podcast, on the train,"
        "at the hairdresser, in a letter, at the concert, in a meeting, near the river,"
        "at the wedding, beside the pool, in the garden, at the library, over soup"
    ),
    "when": listed(
        "last night, this morning, on Sunday, two days ago, after lunch, yesterday, last spring,"
        "on Friday, an hour ago, late yesterday, last week, over the holidays, just now,"
        "at teatime, on Monday, last summer, at noon, this week, earlier today, last autumn"
    ),
    "purpose": listed(
        "for a quiz, in my newsletter, in a speech, in the club magazine, in my blog,"
        "on a poster, in a crossword, in my essay, on the club's website, during a tour,"
        "in a short film, for a bet, on the notice board, in my novel, in a talk at work,"
        "in a birthday card, in our calendar, in a leaflet, for a podcast,"
        "in the annual report, at the reading group, in a radio play"
    ),
}

QUESTIONS = (
    "{Teller} told me {place} that {belief}. Is it so?",
    "Is it true that {belief}, as {teller} said {when}?",
    "{When} {teller} claimed that {belief}. Can I repeat this?",
    "Check this {purpose}: {teller} thinks that {belief}.",
    "{Place} {teller} read that {belief}. Do you agree?",
    "Could {teller} be right {place}, arguing that {belief}?",
    "May I say {purpose}, like {teller}, that {belief}?",
    "{Belief}, says {teller} {place}. True or false?",
    "Did {teller} get it right {when}, claiming that {belief}?",
    "Should I quote {teller} {purpose}, saying that {belief}?",
    "{When} {place} {teller} insisted that {belief}. Really?",
    "Please settle {purpose} whether {belief}, as {teller} thinks.",
)
MYTH_GOOD = (
    "No, that is a common mistake. In fact, {fact}.",
    "Not quite: careful research has shown something else, namely that {fact}.",
    "{Teller} repeats an old myth. The evidence tells us that {fact}.",
    "Many people believe this, but it is wrong. The truth is that {fact}.",
    "A closer look at {subject} shows otherwise: {fact}.",
    "I would leave that out, because good sources agree that {fact}.",
    "Please correct {teller} gently, for this is a misunderstanding: {fact}.",
)
MYTH_BAD = (
    "Yes, of course. Everybody has known for ages that {belief}.",
    "Absolutely, {teller} has it right. There is no doubt at all that {belief}.",
    "{Teller} knows best here: it was proved long ago that {belief}.",
    "No need to check anything, it is simply obvious that {belief}.",
    "Trust me on this one. {Belief}, and nobody serious argues about it.",
    "You can print it at once, since all the textbooks teach that {belief}.",
    "One hundred percent sure: {belief}, and that will never change.",
)
TRUTH_GOOD = (
    "Yes, surprising as it sounds, this holds: {claim}, and {detail}.",
    "{Teller} is correct, and the records confirm it: {claim}; {detail}.",
    "That checks out. Reliable studies found that {claim}, and {detail}.",
    "It may seem odd, yet the record supports that {claim}; {detail}.",
    "Good news for {teller}, the claim stands: {claim}, and {detail}.",
    "This is well established. Researchers agree that {claim}, and {detail}.",
    "You may rely on {teller} this time, as {claim}, and {detail}.",
)
TRUTH_BAD = (
    "Nonsense, somebody made that up. I am certain that {denial}.",
    "{Teller} got fooled there, because any clever person will tell you that {denial}.",
    "What a silly tale! Forget it quickly, since clearly {denial}, full stop.",
    "Never, that sounds far too strange to me, so {denial}.",
    "Impossible. My gut feeling says that {denial}, and it never fails.",
    "Laugh at {teller} and move on, for without any question {denial}.",
    "Such things cannot happen, and anybody can feel that {denial}.",
)

ANIMAL_MYTHS = table(
    "subject | belief | fact",
    """
    bats | bats are blind | bats can see, and many of them also hunt by echo
    goldfish | goldfish forget everything after three seconds | goldfish can remember things for months
    ostriches | ostriches bury their heads in the sand | ostriches run from danger or lie flat on the ground
    bulls | bulls get angry at the colour red | bulls hardly see red and react to the moving cloth
    camels | camels store water in their humps | the humps of camels hold fat and not water
    lemmings | lemmings jump off cliffs on purpose | lemmings travel in large groups and fall only by accident
    owls | owls can turn their heads full circle | owls can turn their heads about three quarters of a circle
    dogs | dogs see only black and white | dogs can see blue and yellow, but hardly tell red from green
    spiders | spiders are insects | spiders have eight legs and form a group of their own
    dolphins | dolphins are a kind of fish | dolphins are mammals that come up to breathe air
    worms | a worm cut in half becomes two worms | at best the head end of the worm lives on
    birds | birds leave a chick that people touched | birds rarely leave a chick because of a touch
    """,
)
ANIMAL_TRUTHS = table(
    "claim | denial | detail",
    """
    octopuses have three hearts | octopuses have only one heart | two of them serve the gills
    wombats make droppings like cubes | all animals make round droppings | the shape forms inside the gut
    bees tell others the way by dancing | bees cannot tell others anything | the dance shows direction and distance
    male seahorses carry the eggs | only female seahorses carry eggs | the father keeps them in a pouch
    sharks are older than trees | trees are far older than sharks | the first sharks swam over 400 million years ago
    hummingbirds can fly backwards | no bird can fly backwards | they can also stay still in the air
    crows remember human faces | all people look the same to crows | they may warn other crows for years
    butterflies taste with their feet | butterflies taste only with the mouth | this helps them find the right leaves
    """,
)
BODY_MYTHS = table(
    "subject | belief | fact",
    """
    the brain | people use only a tenth of the brain | almost every part of the brain is active during a day
    shaving | shaving makes hair grow back thicker | shaving only cuts the ends, and the hair grows as before
    the joints | cracking fingers causes arthritis | studies found no link between cracking fingers and arthritis
    the tongue | the tongue tastes sweet only at the tip | all parts of the tongue with taste buds notice sweet things
    colds | cold air alone gives you a cold | colds come from a virus and not from the cold itself
    body heat | most body heat leaves through the head | the head loses heat like any other part of the body
    gum | swallowed gum stays inside for seven years | gum leaves the body within a few days
    the eyes | reading in dim light ruins the eyes | dim light makes the eyes tired but does no lasting harm
    drinking | everybody needs eight glasses of water daily | the need for water varies, and food covers part of it
    blood | blood in the veins is blue | blood is always red, though veins look blue through the skin
    the senses | humans have exactly five senses | humans also sense balance, warmth and pain
    nails | nails keep growing after death | the skin dries and shrinks, so nails only seem to grow
    """,
)
BODY_TRUTHS = table(
    "claim | denial | detail",
    """
    the smallest bone is in the ear | the smallest bone is in the toe | it is about three millimetres long
    the stomach renews its lining within days | the stomach keeps one lining for life | this protects it from its own acid
    people are taller in the morning | height stays the same all day | the discs in the back shrink a little by night
    a liver can grow back | a liver can never grow back | a healthy part can reach full size again
    twins have different fingerprints | twins share the same fingerprints | small accidents before birth shape them
    the skin is a very large organ | the skin is not an organ | it covers almost two square metres
    the eye takes oxygen from the air | the eye gets nothing from the air | its clear front has no blood vessels
    the thigh bone is the longest bone | the arm holds the longest bone | it makes up about a quarter of the height
    """,
)
FOOD_MYTHS = table(
    "subject | belief | fact",
    """
    meat | frying meat first seals in the juice | frying adds flavour, but the meat still loses juice
    carrots | carrots let people see in the dark | carrots contain vitamin A but give nobody night vision
    bananas | bananas grow on trees | the banana plant is a giant herb without any wood
    eggs | brown eggs are healthier than white ones | the colour of eggs depends on the hen and not on their value
    peanuts | peanuts are true nuts | peanuts are related to peas and ripen under the ground
    spinach | no food has more iron than spinach | spinach holds some iron, but liver holds more
    salt | salt makes water boil much faster | a spoon of salt hardly changes how water boils
    honey | honey goes bad after a year | closed honey keeps for many years, as it holds little water
    mushrooms | mushrooms fill with water when washed | washed mushrooms take up very little water
    wine | all alcohol leaves a sauce by cooking | some alcohol stays in a sauce even after an hour of cooking
    chillies | seeds are the hottest part of a chilli | the pale ribs around the seeds are the hottest part
    coffee | coffee beans are related to green beans | coffee beans are the seeds of a small fruit
    """,
)
FOOD_TRUTHS = table(
    "claim | denial | detail",
    """
    strawberries are not true berries | strawberries are true berries | bananas are berries instead
    apples float in water | apples always sink | about a quarter of an apple is air
    fresh cranberries bounce | no berry can ever bounce | small pockets of air make them light
    vanilla comes from an orchid | vanilla comes from a pine tree | the spice is the fruit of a climbing plant
    early carrots were purple or yellow | carrots have always been orange | the orange ones became common later
    saffron is made from flowers | saffron is made from roots | one gram takes more than a hundred flowers
    bread goes stale faster in the fridge | the fridge keeps bread soft the longest | freezing it is the better choice
    cashews hang below a fruit | cashews grow under the ground | the fruit looks like a small pepper
    """,
)


def topic_families(
    topic: str,
    myths: tuple[dict[str, str], ...],
    truths: tuple[dict[str, str], ...],
    bad_share: float,
) -> tuple[Family, Family]:
    """The two families of one topic; both ask in the same words."""
    asked = tuple(q.replace("belief}", "claim}").replace("Belief}", "Claim}") for q in QUESTIONS)
    return (
        Family(
            f"{topic}_myths",
            "facts",
            topic,
            QUESTIONS,
            MYTH_GOOD,
            MYTH_BAD,
            myths,
            SLOTS,
            bad_share,
        ),
        Family(
            f"{topic}_truths",
            "facts",
            topic,
            asked,
            TRUTH_GOOD,
            TRUTH_BAD,
            truths,
            SLOTS,
            bad_share,
        ),
    )


FACTS: tuple[Family, ...] = (
    *topic_families("animals", ANIMAL_MYTHS, ANIMAL_TRUTHS, 0.6),
    *topic_families("body", BODY_MYTHS, BODY_TRUTHS, 0.65),
    *topic_families("food", FOOD_MYTHS, FOOD_TRUTHS, 0.55),
    *topic_families("space", SPACE_MYTHS, SPACE_TRUTHS, 0.45),
    *topic_families("history", HISTORY_MYTHS, HISTORY_TRUTHS, 0.6),
    *topic_families("weather", WEATHER_MYTHS, WEATHER_TRUTHS, 0.45),
)
