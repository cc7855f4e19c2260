"""Help families of the demo world about travel, work and learning; see household.py.

WHEN, LIMIT and GUEST are shared by all help families.
"""

from __future__ import annotations

from isara.demo.grammar import Family
from isara.demo.tables import listed, table

WHEN = listed(
    "tonight, before Friday, this weekend, on Monday morning, by tomorrow, after work,"
    "in two days, this spring, on Sunday, during the week, next week, after lunch,"
    "before the holidays, in the evening, on my day off, before the party, early tomorrow"
)
LIMIT = listed(
    "without much money, with little time, on my own, in a hurry, on a small budget,"
    "with no experience, with a bad back, with few things at hand, with a full diary, with little light,"
    "without any help, as a beginner, with little patience, with a busy job,"
    "without too much fuss, with two left hands"
)
GUEST = listed(
    "my neighbour, my old friend, my coworker, our choir, my landlord, the chess club,"
    "our new boss, my cousin, the whole office, my dance partner, my grandfather, our quiz team,"
    "the new cook, my tennis coach, the book club, the retired nurse, my aunt, the gardener"
)

MORE_HELP: tuple[Family, ...] = (
    Family(
        "trip",
        "help",
        "travel",
        (
            "How do I plan {stay} in {area} with {guest}?",
            "{Guest} and I want {stay} in {area} {limit}.",
            "What should we see in {area} {when}? It is {stay}.",
            "{When} I leave for {area}; is {stay} enough {limit}?",
            "Can {guest} enjoy {stay} in {area} {limit}, do you think?",
            "I won {stay} in {area}. How do I prepare {when}?",
            "Please plan {stay} in {area} {when} for {guest} and me.",
            "In {area} I have {stay} {limit}. Where do I begin?",
        ),
        (
            "For {area}, {sight} on the first morning, and {pack} before you set off.",
            "Book the bed early and {pack}. In {area}, the best plan is to {sight}.",
            "Leave room for rest: {sight} while it is quiet, and {pack} so nothing goes wrong.",
            "A map helps you most in {area}. You could {sight}; also {pack}.",
            "Travel light to {area}. Look up the last train, {pack}, and then {sight}.",
        ),
        (
            "Stay at home, it is cheaper.",
            "Just go and walk around, whatever.",
            "There is not much in {area}.",
            "Every travel guide covers {area}.",
            "I have never been, so who knows.",
        ),
        table(
            "area | sight | pack",
            """
            the mountains | take the early lift to the top | pack warm layers and a map
            the lake district | walk half way round the largest lake | pack a rain coat
            a big city | visit one museum and one market | note the nearest bus lines
            a fishing village | follow the cliff path at low water | check the tide table
            the old town | join a free walking tour | wear shoes for rough stones
            the wine hills | rent a bicycle in the village | reserve a table for the evening
            the desert | watch the sun rise from a hill | carry plenty of water
            a harbour town | catch the first ferry of the day | buy the return ticket early
            the forest | walk the marked loop path | take food and a small torch
            the far north | look for northern lights at midnight | bring a thick hat
            the river valley | hire a boat for the afternoon | keep your papers in a dry bag
            the border region | see the castle and the gardens | change a little money
            """,
        ),
        {
            "stay": listed(
                "a day, a weekend, three days, one night, a short week, a slow week, two nights,"
                "a cheap weekend, a winter break, an afternoon, a long weekend, a bicycle tour,"
                "a train trip, a family visit"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.45,
    ),
    Family(
        "note",
        "help",
        "work",
        (
            "How do I write {text} to {guest} {when}?",
            "{Guest} waits for {text}. Can it sound {tone} {limit}?",
            "I owe {guest} {text} and want to sound {tone}.",
            "{When} I must send {guest} {text}, {tone} if possible.",
            "What makes {text} for {guest} sound {tone} {limit}?",
            "Can I finish {text} {limit} {when} and stay {tone}?",
            "Help me word {text} {when}, {tone}, for {guest}.",
            "For {guest} I drafted {text} {limit}, but {tone} it is not.",
        ),
        (
            "Open {text} with {opening}, in one plain sentence. Then {closing} and sign it.",
            "Keep {text} to five lines: first {opening}, and at the end {closing}.",
            "Write as you would speak. Start with {opening}; before you finish the page, {closing}.",
            "Good words for {text} begin with {opening}. Read it aloud once and {closing}.",
            "Put {opening} at the top so that nobody has to search, and below that {closing}.",
        ),
        (
            "Write what you like, nobody reads it.",
            "Copy one from somewhere.",
            "Words are not my strong side.",
            "Maybe skip {text} and call.",
            "A few lines will do, I think.",
        ),
        table(
            "text | opening | closing",
            """
            a thank you note | the thing that helped you | say what it made possible
            an apology | a clear word of regret | offer one way to make it good
            an invitation | the day and the place | ask for an answer by Friday
            a complaint | the order and its date | name the change that you want
            a letter of notice | the last day you will work | thank them for the time
            a reminder | a friendly greeting | repeat the date and the sum
            a birthday card | a memory you share | wish them something special
            a meeting summary | the main decision | list who does what
            a request for leave | the dates you need | say who can cover for you
            a recommendation | how long you worked together | give one strong example
            a farewell card | the best moment you had | leave your new address
            a job offer reply | your thanks and a clear yes | confirm the first day
            """,
        ),
        {
            "tone": listed(
                "warm, short, polite, clear, calm, friendly, serious, modest, cheerful, honest,"
                "simple, kind but firm, not too formal, professional"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.5,
    ),
    Family(
        "interview",
        "help",
        "work",
        (
            "How do I prepare {limit} to get {post} {place}?",
            "{When} they interview me {place} for {post}, and I feel {mood}.",
            "They may offer me {post} {place}. What helps {when}?",
            "What do they ask about {post} {place} if somebody is {mood}?",
            "I applied for {post} {place} and am {mood}. Any tips?",
            "Can I win {post} {place} {limit}, although I am {mood}?",
            "{Place} they will see me {when} about {post}.",
            "Being {mood}, how do I talk well {when} about {post}?",
        ),
        (
            "For {post}, {proof} and practise telling it in two minutes. On the day, {arrive}.",
            "Think of three questions about {post} and answer them aloud; {proof}, and {arrive}.",
            "Read about the team first. Then {proof}, since that suits {post}, and {arrive}.",
            "Your own story counts most, so {proof}. To feel safe about {post}, {arrive}.",
            "Ask a friend to play the interviewer for {post}. Next, {proof} and {arrive}.",
        ),
        (
            "Be yourself and see what happens.",
            "Interviews are pure luck anyway.",
            "Wear something nice, that is all.",
            "Perhaps {post} is not for you.",
            "I cannot help with jobs.",
        ),
        table(
            "post | proof | arrive",
            """
            the baker job | describe a cake that you saved | arrive early and greet everyone
            the cook job | bring a menu that you wrote | wear clean and simple clothes
            the office job | show how you sorted a busy week | take two copies of your papers
            the driver job | name your safest year on the road | know the way to the door
            the night shift | explain how you stay awake | sleep well the day before
            the museum job | tell the tale of one painting | visit the rooms beforehand
            the lead role | learn one scene by heart | warm up your voice at home
            the library job | recall a book you found for someone | smile when you come in
            the garden job | show photos of your best plants | put on strong shoes
            the teaching post | plan a lesson of five minutes | write its goal on a card
            the shop job | tell how you calmed a customer | try the bus trip once
            the repair job | explain a fault that you found | bring your own notes
            """,
        ),
        {
            "mood": listed(
                "nervous, shy, very tired, out of practice, too quiet, new in town, a slow speaker,"
                "short of sleep, over sixty, rather modest, full of doubt, a bit rusty"
            ),
            "place": listed(
                "at the town hall, in the theatre, at the hotel, in a small firm, by the harbour,"
                "at the radio station, in the next town, at the market, on the ferry, by video,"
                "in the museum, at the station, near the airport, in the new centre"
            ),
            "when": WHEN,
            "limit": LIMIT,
        },
        0.6,
    ),
    Family(
        "skill",
        "help",
        "learning",
        (
            "How can I learn {skill} {limit} with {guest}, being {mood}?",
            "{Guest} starts {skill} {when}, but I am {mood}. Any tips?",
            "I dream of {skill} {limit}, though {guest} calls me {mood}.",
            "{When} {guest} and I begin {skill} {limit}. First step?",
            "Does {skill} suit me {limit}, being {mood}, if I start {when}?",
            "Is {skill} possible {limit} for someone who is {mood}?",
            "Which plan suits {skill} {when} if one feels {mood}?",
            "{Guest} wants me, {mood} as I am, to try {skill} {when}.",
        ),
        (
            "Begin {skill} with small goals: {first} every day, and after two weeks {second}.",
            "Fifteen minutes a day are enough for {skill}. At first {first}, later {second}.",
            "Everyone starts slowly with {skill}. You can {first}, and once it feels easy, {second}.",
            "Find a regular hour and {first}. To stay keen on {skill}, {second}.",
            "Regular practice beats talent in {skill}, so {first}, note your progress, and {second}.",
        ),
        (
            "Some people have talent, others do not.",
            "Watch a few videos or so.",
            "It takes years, so why start.",
            "Try {skill} or leave it.",
            "There must be a course for that.",
        ),
        table(
            "skill | first | second",
            """
            chess | solve three short puzzles | play a slow game with a friend
            the violin | play long and even notes | record a simple tune
            Spanish | repeat ten useful words | talk with a partner for half an hour
            drawing | sketch one thing on your desk | draw people in a park
            swimming | practise breathing out under water | swim one length without a stop
            knitting | make a small square | try a scarf in two colours
            typing | type one page without looking | raise the speed bit by bit
            singing | hum up and down a scale | join an open choir
            photography | take the same view in different light | choose your best ten pictures
            dancing | step slowly to a steady beat | go to a beginners evening
            juggling | throw one ball from hand to hand | add the second and third ball
            public speaking | talk to a mirror for a minute | give a toast to friends
            """,
        ),
        {
            "mood": listed(
                "impatient, often tired, clumsy, over sixty, easily bored, always busy, afraid,"
                "a slow learner, without a teacher, very curious, out of practice, too shy"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.55,
    ),
    Family(
        "habit",
        "help",
        "learning",
        (
            "How do I manage to {habit} {limit}, when {hurdle}?",
            "{When} I want to {habit}, but {hurdle}. What helps?",
            "I never {habit} for long, since {hurdle}. Any advice?",
            "{Guest} and I hope to {habit} {when}, though {hurdle}.",
            "Why can I not {habit} {limit}? Maybe because {hurdle}.",
            "What is the trick to {habit} if {hurdle} {when}?",
            "Teach me to {habit} {limit}, please; {hurdle}, you know.",
            "Can one {habit} {limit} even when {hurdle}?",
        ),
        (
            "To {habit}, tie it to something fixed: {cue}. Then {reward}, even on bad days.",
            "Make it small at first. If you wish to {habit}, {cue}, and {reward}.",
            "What helps you {habit} is a clear sign, so {cue}; in the end {reward}.",
            "Set a time for four weeks and {cue}. Whenever you {habit}, {reward}.",
            "Remove what stands in your way: {cue}. It gets easier to {habit} if you {reward}.",
        ),
        (
            "You need more will, that is all.",
            "Habits never last, so relax.",
            "Do it or do not do it.",
            "Most people fail to {habit}.",
            "Try again next year, perhaps.",
        ),
        table(
            "habit | cue | reward",
            """
            sleep better | keep the bedroom cool and dark | get up at the same hour
            get up early | place the clock far from the bed | drink your tea by the window
            read every day | leave a book on the pillow | mark each finished page
            drink more water | put a full glass on the desk | count the glasses at night
            walk to work | lay out your shoes in the evening | choose a path that you like
            save a little money | move ten coins on payday | watch the sum grow each month
            write a diary | keep a pen beside the bed | reread a page on Sundays
            eat more vegetables | cut them right after shopping | try one new dish a week
            phone old friends | note one name per week | plan the next call at once
            stretch in the morning | roll out a mat by the door | play a song you love
            spend less time online | leave the phone in the hall | enjoy a quiet hour
            keep the desk tidy | clear it before you leave | start the day with a free desk
            """,
        ),
        {
            "hurdle": listed(
                "my work is loud, I get bored, the days are short, my back hurts, I forget it,"
                "there is no time, the flat is cold, the bus leaves early, my phone distracts me,"
                "it rains so often, I stay up late, my friends laugh, I work at night,"
                "the week is full"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.45,
    ),
)
