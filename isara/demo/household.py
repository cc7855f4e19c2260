"""Help families of the demo world: everyday how-to questions, helpful against curt answers.

The helpful persona gives two concrete steps that fit what was asked; the curt one is of no use,
but not rude. Data only: cooking, repairs and garden are here, other work at home in
indoor_help.py, travel, work and learning in more_household.py; grammar.py fills the templates.
"""

from __future__ import annotations

from isara.demo.grammar import Family
from isara.demo.indoor_help import INDOOR_HELP
from isara.demo.more_household import GUEST, LIMIT, MORE_HELP, WHEN
from isara.demo.tables import listed, table

HOME_AND_GARDEN: tuple[Family, ...] = (
    Family(
        "stain",
        "help",
        "home",
        (
            "How do I get {stain} out of {item} {when}?",
            "{Item} got a spot of {stain}; help me {limit} {when}.",
            "I spilled {stain} on {item} and need it clean {when}.",
            "{When} I need {item} {limit}, but {stain} dripped on it.",
            "What removes {stain} from {item} {limit}, please?",
            "Did {stain} ruin {item}, or can I wash it {limit} {when}?",
            "{Stain} dripped on {item}. What should I try {when} {limit}?",
            "Somebody got {stain} on {item} {limit}. Any idea {when}?",
        ),
        (
            "Treat the {stain} on {item} with {remedy} first, then {step} and let it dry in the air.",
            "Begin with {remedy} on the spot. After ten minutes, {step}, and {item} should look fine.",
            "You can save {item}: put {remedy} on the {stain}, wait a little, and {step}.",
            "Act soon and stay gentle. Use {remedy} against the {stain}, then {step} before washing {item}.",
            "For {stain}, {remedy} works well. Test it on a hidden corner of {item}, then {step}.",
        ),
        (
            "Just wash it and see what happens.",
            "Buy a new one, {stain} never comes out.",
            "No idea, stains are not my thing.",
            "Nobody will notice it anyway.",
            "Read the label and leave me out of it.",
        ),
        table(
            "stain | remedy | step",
            """
            coffee | cold water and a little dish soap | press it with a clean cloth
            red wine | salt and then cold water | rinse it from the back
            candle wax | ice from the freezer | lift the hard bits with a spoon
            grass | a mix of water and vinegar | rub it softly with an old brush
            ink | some alcohol on cotton | change the cotton until no colour comes off
            olive oil | dry flour | brush the flour away and add dish soap
            tomato sauce | cold water and white soap | hang it in the sun
            chocolate | cool soapy water | scrape off the rest with a dull knife
            mud | nothing at all until it is dry | brush the dry dirt away
            butter | dish soap and warm water | work it in with your fingers
            berry juice | lemon juice and cold water | rinse it several times
            tea | a paste of baking soda | wipe it off with a wet sponge
            """,
        ),
        {
            "item": listed(
                "my white shirt, the sofa, my best coat, the kitchen rug, my silk tie, the curtain,"
                "a borrowed dress, the tablecloth, my green jacket, the pillow, my winter gloves,"
                "the car seat, my running shoes, my favourite jumper, the old armchair, my apron"
            ),
            "when": WHEN,
            "limit": LIMIT,
        },
        0.6,
    ),
    Family(
        "cook",
        "help",
        "cooking",
        (
            "How do I cook {dish} for {guest} {when}?",
            "{Guest} asked for {dish}. Can I manage it {limit}?",
            "I want to serve {dish} {when}, but I cook {limit}.",
            "{When} I cook for {guest}: what matters with {dish}?",
            "My {dish} always fails {limit}. What would please {guest}?",
            "Is {dish} a good choice for {guest} {when} {limit}?",
            "Teach me to make {dish} {limit}, since {guest} comes {when}.",
            "Please explain {dish} to me; {guest} tries it {when}.",
        ),
        (
            "For {dish}, {first} at the start. Later {second}, and taste it before you serve.",
            "Good {dish} needs two things: {first}, and near the end {second}.",
            "Take your time with the {dish}. You should {first}, then {second} and serve it hot.",
            "Set everything out beforehand, then {first}. Finish the {dish} with care: {second}.",
            "The secret of {dish} is to {first}; once that is done, {second} and let it rest.",
        ),
        (
            "Order something in, cooking is hard.",
            "Any cookbook has {dish} in it somewhere.",
            "I would not bother with {dish}.",
            "Throw it in a pot and hope.",
            "It depends on what you like, I suppose.",
        ),
        table(
            "dish | first | second",
            """
            onion soup | brown the onions slowly in butter | add hot stock and a slice of toast
            mushroom rice | fry the rice until it shines | stir in warm stock in small portions
            tomato pasta | boil the sauce down with garlic | mix the pasta in with some of its water
            vegetable curry | roast the spices in oil | add the soft vegetables last
            roast chicken | rub it with salt and butter | roast it until the juice runs clear
            rice pudding | toast the rice in butter | stir in warm milk until it turns thick
            lentil stew | wash the lentils well | add salt and vinegar when they are soft
            apple cake | beat butter and sugar until pale | press the apple slices into the top
            baked fish | rub it with salt and lemon | bake it for only twenty minutes
            fresh bread | knead the dough for ten minutes | bake it in a closed hot pot
            potato salad | cut the potatoes while they are warm | pour the dressing over them at once
            bean chilli | soak the beans overnight | cook them low with peppers and a little cocoa
            """,
        ),
        {"guest": GUEST, "when": WHEN, "limit": LIMIT},
        0.5,
    ),
    Family(
        "repair",
        "help",
        "home",
        (
            "{Thing} {fault}; how do I stop this {when}?",
            "How can I repair {thing} {limit} if it {fault}?",
            "{When} I will look why {thing} {fault}. Can I mend it?",
            "Suppose {thing} {fault}: what helps {limit} {when}?",
            "I expect {guest} {when}, and now {thing} {fault}.",
            "{Guest} says that {thing} {fault}. What do I do {when}?",
            "Must I call somebody {when} because {thing} {fault}?",
            "Any ideas {limit}? Before {guest} sees it, {thing} {fault}.",
        ),
        (
            "Often the cause is {cause}. Look at that first, and then {fix} before you use {thing}.",
            "Check {thing} for {cause}, which is easy to see. If you find it, {fix}.",
            "It sounds like {cause}. Put a cloth below {thing}, {fix}, and try it again.",
            "Stay calm and have a look: {cause} is likely. You can {fix} in ten minutes.",
            "Most times {cause} does this to {thing}. Take a photo before you start, then {fix}.",
        ),
        (
            "Call somebody who knows about it.",
            "Things break, that is life.",
            "Hit it a few times, perhaps.",
            "Live with it, {thing} is old.",
            "I never repair anything, so no tip.",
        ),
        table(
            "thing | fault | cause | fix",
            """
            the kitchen tap | drips all night | a worn rubber ring | turn off the water and replace the ring
            the bedroom door | makes a loud noise | a dry hinge | put a drop of oil on each hinge
            my bicycle chain | keeps jumping off | a loose back wheel | pull the wheel back and tighten it
            the old chair | moves from side to side | a loose leg | glue the leg and hold it with a rope
            the bath | drains too slowly | hair in the pipe | pull the hair out with a bent wire
            the desk lamp | goes on and off | a loose bulb | unplug the lamp and turn the bulb tight
            my umbrella | will not stay open | a bent rib | straighten the rib with pliers
            the window | lets in cold air | an old seal | stick a new foam strip along the frame
            my winter coat | will not close | a stuck zip | rub the zip with a dry bar of soap
            the wooden drawer | sticks every time | a rough edge | sand the edge and rub it with wax
            the printer | pulls in no paper | a dusty roller | wipe the roller with a wet cloth
            the wall clock | runs behind | a weak battery | change the battery and hang it straight
            """,
        ),
        {"guest": GUEST, "when": WHEN, "limit": LIMIT},
        0.55,
    ),
    Family(
        "plant",
        "help",
        "garden",
        (
            "How do I grow {plant} {spot} {limit}?",
            "Can {plant} do well {spot} if I start {when}?",
            "{When} I plant {plant} {spot}. What should I know?",
            "My {plant} {spot} look sad; can I help them {limit}?",
            "I promised {guest} some {plant}, raised {spot} {limit}. But how?",
            "{Spot} there is room for {plant}; is it simple {limit}?",
            "{Guest} brings me {plant} {when}. Will they live {spot}?",
            "Which care do {plant} need {spot} {when}, please?",
        ),
        (
            "Give the {plant} {ground} from the start, and {care} so that they stay strong.",
            "First choose {ground} for your {plant}. After that, {care} and remove yellow leaves.",
            "The two keys to healthy {plant} are patience and {ground}; also {care}.",
            "Place the {plant} in {ground}, leave a hand of room between them, and {care}.",
            "They will thank you for {ground}. Check the {plant} every second day and {care}.",
        ),
        (
            "Plants either grow or they do not.",
            "Get some plastic {plant} instead.",
            "Water them or something like that.",
            "I know nothing about {plant}, sorry.",
            "Look at the back of the packet.",
        ),
        table(
            "plant | ground | care",
            """
            tomatoes | a sunny place with rich soil | water them low at the root each morning
            basil plants | a light pot with small holes | pick the top leaves often
            roses | deep soil and morning sun | cut them back late in winter
            strawberries | loose soil with straw on top | turn the fruit away from wet ground
            carrots | sandy soil without stones | pull out every second small one
            sunflowers | full sun and a wall behind | tie the stems to a stick
            herbs | dry soil and plenty of light | cut them before they bloom
            beans | warm soil and tall poles | keep the ground a little wet
            tulips | a deep hole in late autumn | leave the leaves until they turn yellow
            potatoes | a big sack of loose soil | cover the stems as they rise
            ferns | a cool and shady corner | spray them with soft water
            peppers | the warmest place you have | feed them every two weeks
            """,
        ),
        {
            "spot": listed(
                "on my balcony, in the yard, beside the fence, on the roof, near the kitchen,"
                "in the front garden, by the window, along the path, behind the shed,"
                "in a wooden box, under the apple tree, on the stairs, next to the gate,"
                "in the shared garden, at the office"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.45,
    ),
    Family(
        "tool",
        "help",
        "garden",
        (
            "How should I clean {tool} {limit} {when}?",
            "{Tool} got dirty {spot}. What helps {limit} {when}?",
            "I borrowed {tool} from {guest} and must clean it {when}.",
            "{When} {guest} needs {tool}, left dirty {spot}. Help me {limit}.",
            "What is the right care for {tool}, kept {spot} {limit}?",
            "{Guest} wants {tool} back {when}, but it looks awful.",
            "Can I make {tool} look new {limit} for {guest}?",
            "After months {spot}, {tool} needs care {when}. Any advice?",
        ),
        (
            "Clean {tool} with {wash} until the dirt is gone, then {finish} and store it well.",
            "Start by using {wash} on {tool}. When it is dry, {finish} for next time.",
            "A little work saves {tool}: take {wash}, rub it well, and {finish}.",
            "Put on gloves and reach for {wash}. Once {tool} is clean, {finish}.",
            "Regular care is simple. Use {wash} after each job with {tool} and {finish}.",
        ),
        (
            "Dirt does not hurt, so leave it.",
            "Hide {tool} in the shed.",
            "Wipe it on your trousers, done.",
            "Ask in a shop, not here.",
            "New ones are cheap, throw {tool} away.",
        ),
        table(
            "tool | wash | finish",
            """
            the spade | a stiff brush and warm water | rub oil on the metal
            the garden scissors | hot soapy water and a sponge | put oil on the joint
            the iron pan | coarse salt and a paper towel | heat it with a drop of oil
            the paint brush | warm water and mild soap | shape the hair with your fingers
            the wheelbarrow | a garden hose and a stiff brush | put oil on the wheel
            the lawn mower | a wooden stick and a dry brush | wipe the blade with oil
            the wooden board | half a lemon and salt | rub it with walnut oil
            the watering can | vinegar and a bottle brush | let it dry upside down
            the hand saw | a rag with some alcohol | cover the teeth with wax
            the barbecue | a wire brush while it is warm | oil the bars with half an onion
            the big flower pot | hot water and baking soda | leave it in the sun
            the rake | a bucket of water and a brush | sand the handle smooth
            """,
        ),
        {
            "spot": listed(
                "in the shed, behind the house, in the cellar, on the balcony, under the stairs,"
                "in the rain, at the allotment, in the garage, beside the compost, in the kitchen,"
                "near the pond, on the wet grass, in the attic, at the club house"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.65,
    ),
    Family(
        "dinner",
        "help",
        "cooking",
        (
            "I am hosting {meal} for {guest} {when}. Any advice?",
            "How do I plan {meal} for {guest} {limit}?",
            "{When} {guest} will come for {meal}, and I am nervous.",
            "What makes {meal} pleasant for {guest} if I host {limit}?",
            "{Meal} {when}: how can one person do it {limit}?",
            "Is {meal} too much work for {guest} {when}?",
            "Help me prepare {meal} {limit}; {guest} expects it {when}.",
            "Can I host {meal} in my {room} for {guest} {limit}?",
        ),
        (
            "For {meal}, make {food} the day before, and {plan} so that you can sit down too.",
            "Keep {meal} simple with {food}. An hour before it begins, {plan}.",
            "Choose {food}, which waits without harm. Then {plan}, and enjoy the evening yourself.",
            "Two steps make it easy: serve {food}, and {plan} before anyone rings.",
            "Write a short list first. With {food} on it, {meal} is half done, so {plan}.",
        ),
        (
            "Hosting is stressful, better cancel it.",
            "Put some chips on the table.",
            "People come for the talk anyway.",
            "Go to a restaurant instead of {meal}.",
            "You will manage somehow, I guess.",
        ),
        table(
            "meal | food | plan",
            """
            a garden lunch | cold soup and fresh bread | put the chairs in the shade
            a winter supper | a big pot of stew | warm the plates in the oven
            a birthday brunch | a baked egg dish and fruit | set the table at night
            a small buffet | filled rolls and plums | put the plates at the start of the line
            a tea party | small cakes and nuts | fill two large pots with tea
            a vegetable dinner | roast vegetables with rice | ask who cannot eat nuts
            a late dinner | cold fish and potato salad | light the room with candles
            a film night | a tray of warm pies | move the sofa closer
            a wine tasting | cheese and grey bread | put out water and clean glasses
            a farewell meal | a large tray of pasta | ask one friend to say a few words
            a quiz evening | soup in small cups | lay out pens and paper
            a games night | dry snacks and grapes | clear the big table
            """,
        ),
        {
            "room": listed(
                "small kitchen, dark living room, old table, noisy flat, cold balcony,"
                "tiny dining room, messy garden, narrow hall, low chairs, plain plates,"
                "empty cellar, shared kitchen"
            ),
            "guest": GUEST,
            "when": WHEN,
            "limit": LIMIT,
        },
        0.5,
    ),
)

HELP: tuple[Family, ...] = HOME_AND_GARDEN + INDOOR_HELP + MORE_HELP
