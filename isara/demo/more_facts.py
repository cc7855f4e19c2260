"""Rows of the demo world's fact families about space, history and weather; see facts.py."""

from __future__ import annotations

from isara.demo.tables import table

SPACE_MYTHS = table(
    "subject | belief | fact",
    """
    the Moon | a great wall can be seen from the Moon | no single building on Earth can be seen from the Moon
    the Sun | the Sun is a burning fire | the Sun shines because atoms join in its centre
    summer | summer comes when Earth is nearest the Sun | Earth is nearest in January, and its tilt makes summer
    space stations | there is no gravity on a space station | gravity is strong there, but the station keeps falling around Earth
    the far side | one side of the Moon is always dark | both sides of the Moon get the same amount of sunlight
    sunlight | the Sun is really yellow | the Sun is white when it is seen from space
    hot planets | Mercury is the hottest planet | Venus is hotter than Mercury, as its thick air traps the heat
    the night sky | the North Star is the brightest star | Sirius is the brightest star of the night
    shooting stars | shooting stars are real stars falling down | shooting stars are bits of rock that glow in the air
    black holes | black holes swallow everything around them | things can circle black holes as planets circle a star
    sound | sound travels well through empty space | sound needs air, water or something solid to travel
    rings | only Saturn has rings | Jupiter, Uranus and Neptune have rings as well
    """,
)
SPACE_TRUTHS = table(
    "claim | denial | detail",
    """
    a full turn of Venus outlasts its year | Venus turns as fast as Earth | one turn takes 243 Earth days
    Saturn is less dense than water | Saturn is denser than rock | it is made mostly of light gases
    the Moon slowly moves away from Earth | the Moon never changes its distance | it gains almost four centimetres a year
    sunlight takes eight minutes to reach Earth | sunlight reaches Earth at once | it must cross 150 million kilometres
    footprints on the Moon last for ages | footprints on the Moon vanish overnight | no wind or rain can remove them
    Uranus spins on its side | all planets spin upright | a great crash may have tipped it over
    Jupiter has dozens of moons | Jupiter has only one moon | four of them show in a small telescope
    the Sun outweighs all its planets | the planets outweigh the Sun | they make up less than one percent of its mass
    """,
)
HISTORY_MYTHS = table(
    "subject | belief | fact",
    """
    the Middle Ages | scholars of the Middle Ages called Earth flat | scholars of the Middle Ages knew that Earth is round
    Vikings | Vikings wore helmets with horns | nobody has ever found a Viking helmet with horns
    old statues | Greek statues were always plain white | Greek statues were once painted in bright colours
    knights | knights needed a crane to mount | a trained knight could mount a horse in full armour
    gladiators | gladiators always fought to the death | many fights of gladiators ended without a death
    washing | nobody washed in the Middle Ages | towns of the Middle Ages had public baths
    spices | spices were used to hide rotten meat | spices cost more than fresh meat and were not wasted
    long lives | nobody lived past forty in old times | many people reached sixty, but early deaths lowered the average
    the light bulb | one person alone invented the light bulb | many people improved the light bulb over decades
    dinosaurs | early humans lived beside dinosaurs | dinosaurs died out over sixty million years before humans
    pirates | pirates usually buried their treasure | pirates mostly shared and spent their treasure soon
    ancient games | winners in ancient Olympia got gold medals | winners in ancient Olympia got a wreath of olive leaves
    """,
)
HISTORY_TRUTHS = table(
    "claim | denial | detail",
    """
    some Roman roads are still in use | no Roman road has survived | many modern roads follow their lines
    one tulip once cost a fortune | tulips have always been cheap | Dutch traders paid the price of a house four centuries ago
    the Eiffel Tower was planned for twenty years | the Eiffel Tower was meant to stand forever | its use for radio saved it
    tomato sauce was once praised as medicine | nobody ever praised tomato sauce as medicine | shops sold tomato pills as well
    whole books were printed early in China | printing began in Germany | wooden blocks did the work there
    mammoths still lived when the pyramids rose | mammoths died out long before the pyramids | the last ones lived on an island
    pineapples were once rented for parties | pineapples were cheap from the start | a fresh one cost a fortune
    people were once paid to knock on windows | nobody was ever paid to knock on windows | they woke workers with long sticks
    """,
)
WEATHER_MYTHS = table(
    "subject | belief | fact",
    """
    lightning | lightning never strikes one place twice | lightning strikes some tall towers many times a year
    raindrops | raindrops are shaped like tears | small raindrops are round, and larger ones look like flat buns
    summer storms | silent lightning comes from heat alone | silent lightning belongs to a storm too far away to hear
    snow | it can be too cold for snow | snow can fall in great cold if the air holds some water
    tornadoes | open windows save a house from tornadoes | open windows let the wind of tornadoes do more damage
    storm paths | tornadoes never hit big cities | tornadoes have hit several big cities
    cars | rubber tyres keep lightning out of cars | the metal shell of a car leads the lightning around you
    clouds | clouds weigh nothing | an ordinary cloud holds hundreds of tonnes of water
    rainbows | a rainbow has exactly seven colours | a rainbow moves from colour to colour without clear borders
    sinks | sinks always drain the other way in Australia | sinks are too small to feel the turning of Earth
    hail | hail falls only in winter | hail comes from strong storms, often in the warm months
    thunder | thunder can come without lightning | thunder is the sound of air that lightning heats
    fog | fog and clouds are different stuff | fog is simply a cloud that touches the ground
    """,
)
WEATHER_TRUTHS = table(
    "claim | denial | detail",
    """
    lightning is hotter than the face of the Sun | lightning is cooler than a candle | it can be five times as hot
    Antarctica is a desert | Antarctica gets plenty of rain | very little snow falls there each year
    snow can fall in the Sahara | snow has never touched the Sahara | people took photographs of it
    crickets chirp faster on warm nights | crickets chirp alike in any weather | you can guess the warmth by counting
    a rainbow is really a full circle | a rainbow is never more than half a circle | the whole ring shows from a plane
    the smell of rain comes from soil | the smell of rain falls from the clouds | tiny living things in the ground make it
    large fires can make their own storms | fires never change the weather | the hot air rises and builds clouds
    deserts can be freezing at night | deserts stay hot all night | dry air lets the heat escape
    """,
)
