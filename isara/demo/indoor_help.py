"""Help families of the demo world about tidying, presents and saving; see household.py."""

from __future__ import annotations

from isara.demo.grammar import Family
from isara.demo.more_household import GUEST, LIMIT, WHEN
from isara.demo.tables import listed, table

GUEST_ALONE = listed(
    "my neighbour, my old friend, my coworker, my landlord, my cousin, my dance partner,"
    "my grandfather, the new cook, my tennis coach, my aunt, the gardener, the librarian,"
    "my flatmate, the baker, my study partner, our choir leader"
)

INDOOR_HELP: tuple[Family, ...] = (
    Family(
        "room",
        "help",
        "home",
        (
            "How do I tidy {room} {limit} before {guest} visits?",
            "{Room} is full of {mess}. Where do I start {when}?",
            "{Guest} comes to see {room} {when}, but {mess} lie everywhere.",
            "{Guest} cannot stand {mess} in {room}. Can I change that {limit}?",
            "What can {guest} and I do {limit} with {mess} in {room}?",
            "{When} I will sort {room} {limit}. What about {mess}?",
            "Help me free {room} from {mess} {limit} {when}.",
            "{Room}, {mess} and {guest} {when}: is there hope {limit}?",
        ),
        (
            "Take {room} in two steps: {sort}, and after a break {store}.",
            "First {sort}, which shows how much you have. Then {store}, and {room} stays neat.",
            "One corner at a time is best. In {room}, {sort} today and {store} tomorrow.",
            "Set a timer for half an hour and {sort}. For lasting order in {room}, {store}.",
            "Give every object in {room} a home: {sort}, label the boxes, and {store}.",
        ),
        (
            "Close the door and forget it.",
            "Mess is normal, everybody has some.",
            "Throw all of it out.",
            "Cleaning {room} is boring, good luck.",
            "That sounds like a lot of work.",
        ),
        table(
            "room | sort | store",
            """
            the kitchen | empty one shelf after another | keep daily things at hand height
            the bedroom | put clothes into three piles | slide flat boxes under the bed
            the cellar | pull everything into the light | hang long tools on the wall
            the office | sort papers by month | file them in coloured folders
            the hall | give away shoes that hurt | fix hooks at two heights
            the bathroom | remove every empty bottle | use a narrow shelf by the mirror
            the garage | sweep it and draw zones | screw strong shelves to the wall
            the attic | open each box once | write the contents on the side
            the shed | lay all tools on the grass | hang them on nails
            the living room | collect loose things in a basket | place a closed cabinet by the sofa
            the wardrobe | try on the clothes of last year | fold them so that all can be seen
            the pantry | check the dates on all tins | put old tins in front
            """,
        ),
        {
            "mess": listed(
                "old papers, boxes, tools, empty jars, cables, books, shoes, coats, bags, bottles,"
                "broken lamps, records, blankets, photos, newspapers, plates"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.6,
    ),
    Family(
        "present",
        "help",
        "home",
        (
            "What present suits {person} for {event} if {taste}?",
            "{Person} invited me to {event} {when}. What can I bring {limit}?",
            "{When} I need a gift {limit} for {person}; apparently {taste}.",
            "{When} {person} holds {event}, and I have no gift {limit}.",
            "How do I choose a gift for {person} {limit}? It seems {taste}.",
            "For {event} I want to surprise {person}, since {taste}.",
            "Which gift would please {person} at {event}, given that {taste}?",
            "Can a cheap gift please {person} {when}? I heard {taste}.",
        ),
        (
            "Get {person} {gift}, which fits so well. Wrap it simply and {extra}.",
            "Since it should be personal, {gift} would be lovely for {person}; also {extra}.",
            "I would suggest {gift} this time. To make {person} smile even more, {extra}.",
            "Listen for wishes first; otherwise {gift} is a safe choice for {person}, and {extra}.",
            "A gift with thought is worth more than money: give {person} {gift} and {extra}.",
        ),
        (
            "Anything will do, honestly.",
            "Give {person} some money.",
            "Soap, maybe, or nothing at all.",
            "Presents are overrated, go without one.",
            "I do not know {person}.",
        ),
        table(
            "taste | gift | extra",
            """
            they love cooking | a small jar of good saffron | add a recipe you like
            they garden a lot | a strong pair of gloves | tuck in a bag of seeds
            they read all day | a novel from the corner shop | write a line inside
            they play chess | a wooden travel board | offer a first game
            they paint at weekends | three fine brushes | ask to see a picture
            they run each morning | a warm pair of socks | join them for one run
            they like old music | a ticket for a small concert | go there together
            they fix bicycles | a handy repair kit | include a soft cloth
            they drink only tea | a tin of leaf tea | bake some plain biscuits
            they travel often | a light scarf for trains | draw a tiny map on the card
            they knit in winter | a ball of soft wool | promise to wear the result
            they take photos | a frame for their best picture | print one to start with
            """,
        ),
        {
            "person": GUEST_ALONE,
            "event": listed(
                "the wedding, the birthday, the farewell party, the summer party, the opening day,"
                "the housewarming, the harvest lunch, the winter concert, the retirement,"
                "the exam party, the big dinner, the reunion"
            ),
            "when": WHEN,
            "limit": LIMIT,
        },
        0.5,
    ),
    Family(
        "money",
        "help",
        "home",
        (
            "How do I spend less on {cost} {limit}, now that {reason}?",
            "{Guest} says I waste money on {cost}, and {reason}.",
            "{Reason}, so {guest} tells me to cut {cost} {when}.",
            "{When} I must pay for {cost} again, and {reason}.",
            "Can I cut the price of {cost} {limit}, as {reason}?",
            "What can {guest} and I do {when} {limit} about {cost}?",
            "My money goes to {cost}, yet {reason}. Please help {limit}.",
            "Is {cost} worth it {limit}? You see, {reason}.",
        ),
        (
            "To save on {cost}, {tip} this month. As a second step, {next}.",
            "Write down each payment for {cost} first. Then {tip}, and if possible {next}.",
            "Small changes add up: {tip}, and {next}. Soon {cost} will hurt less.",
            "Compare at least three prices for {cost}. In addition, {tip} and {next}.",
            "You could {tip}, which saves the most on {cost}; it also pays to {next}.",
        ),
        (
            "Earn more, that solves it.",
            "Prices are high, nothing to be done.",
            "Stop paying for {cost}, then.",
            "I am no good with money.",
            "Everyone complains about {cost}.",
        ),
        table(
            "cost | tip | next",
            """
            food | plan the meals of a week | buy what is in season
            heating | lower the heat by one degree | close the curtains at night
            petrol | share rides with a coworker | keep the tyres firm
            clothes | swap things with friends | repair small holes at once
            coffee | carry your own cup | brew a pot at home
            train tickets | book some weeks ahead | travel at quiet hours
            books | use the town library | trade novels with neighbours
            power | switch off lamps and screens fully | wash at a low heat
            water | take shorter showers | mend a tap that drips
            phone calls | choose a smaller contract | call over the home network
            tools | borrow the rare ones | buy good ones second hand
            concerts | look for open rehearsals | help at the door for a free seat
            """,
        ),
        {
            "reason": listed(
                "my rent went up, I lost a shift, the roof leaks, I want to travel, winter is near,"
                "my hours were cut, the car is old, I plan a wedding, my flatmate moved out,"
                "I start a course soon, the boiler broke, I live alone"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.55,
    ),
)
