//! [`Noun`]: what an object is called in a sentence, and [`name`], which makes it from an emoji's label.

/// An object's name with its grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun<'a> {
    name: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// "a swan", "four swans".
    Countable,
    /// "bacon": no article, no plural.
    Mass,
    /// "goggles": a plural already, without an article.
    Plural,
    /// "Santa Claus".
    Proper,
    /// "the Milky Way".
    Definite,
}

impl<'a> Noun<'a> {
    pub fn new(name: &'a str) -> Self {
        let last = name.rsplit(' ').next().unwrap_or(name);
        let kind = if DEFINITE.contains(&name) {
            Kind::Definite
        } else if PROPER.contains(&name) {
            Kind::Proper
        } else if MASS.contains(&name) {
            Kind::Mass
        } else if PLURAL.contains(&name)
            || PLURAL_HEADS.contains(&head(name).rsplit(' ').next().unwrap_or(last))
        {
            Kind::Plural
        } else {
            Kind::Countable
        };
        Self { name, kind }
    }

    /// "a swan", "an owl", "goggles", "the Milky Way".
    pub fn one(&self) -> String {
        match self.kind {
            Kind::Countable => with_article(self.name),
            Kind::Mass | Kind::Plural | Kind::Proper => self.name.to_owned(),
            Kind::Definite => format!("the {}", self.name),
        }
    }

    /// "a small owl", "small goggles", "the small Milky Way".
    pub fn described(&self, adjective: &str) -> String {
        let name = format!("{adjective} {}", self.name);
        match self.kind {
            Kind::Countable | Kind::Proper => with_article(&name),
            Kind::Mass | Kind::Plural => name,
            Kind::Definite => format!("the {name}"),
        }
    }

    /// "swans"; `None` for what cannot be counted.
    pub fn many(&self) -> Option<String> {
        (self.kind == Kind::Countable && !self.name.contains(" and ")).then(|| plural(self.name))
    }
}

/// The phrase with "a" or "an" before it.
pub fn with_article(phrase: &str) -> String {
    let word = phrase.to_lowercase();
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u', '8']);
    let begins = |starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
    let an = begins(&["hourglass", "x-ray"]) || vowel && !begins(&["uni", "one", "once", "ewe", "eu", "ufo"]);
    format!("{} {phrase}", if an { "an" } else { "a" })
}

/// "glasses of milk" for "glass of milk": the head of the phrase in the plural.
fn plural(phrase: &str) -> String {
    let head = head(phrase);
    let rest = phrase.strip_prefix(head).unwrap_or_default();
    let (before, word) = head.rsplit_once(' ').map_or(("", head), |(before, word)| (before, word));
    let space = if before.is_empty() { "" } else { " " };
    format!("{before}{space}{}{rest}", plural_word(word))
}

/// The phrase up to what follows its noun: "glass" of "glass of milk", "man" of "man walking".
fn head(phrase: &str) -> &str {
    let mut end = 0;
    for (index, word) in phrase.split(' ').enumerate() {
        let before = phrase.get(..end).unwrap_or_default().rsplit(' ').next().unwrap_or_default();
        let verb = word.ends_with("ing") && DOERS.contains(&before) || word == "tilted";
        if index > 0 && (PREPOSITIONS.contains(&word) || verb) {
            break;
        }
        end += word.len() + usize::from(index > 0);
    }
    phrase.get(..end).unwrap_or(phrase)
}

fn plural_word(word: &str) -> String {
    if let Some((_, many)) = IRREGULAR.iter().find(|(one, _)| *one == word) {
        return (*many).to_owned();
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    let consonant_y = word.ends_with('y') && !ends(&["ay", "ey", "oy", "uy"]);
    match word.strip_suffix("man").filter(|stem| !stem.is_empty() && !stem.ends_with("hu")) {
        Some(stem) => format!("{stem}men"),
        None if consonant_y => format!("{}ies", word.trim_end_matches('y')),
        None if ends(&["s", "x", "z", "ch", "sh"]) => format!("{word}es"),
        None => format!("{word}s"),
    }
}

/// The name that captions use for an emoji with this label; `None` for what has no good one.
pub fn name(label: &str) -> Option<String> {
    let label = label.replace('’', "'");
    if let Some((_, name)) = RENAMED.iter().find(|(from, _)| *from == label) {
        return (!name.is_empty()).then(|| (*name).to_owned());
    }
    if label.contains(',') {
        return None;
    }
    if let Some(hour) = label.strip_suffix(" o'clock") {
        return Some(format!("clock showing {hour}"));
    }
    if let Some(hour) = label.strip_suffix("-thirty") {
        return Some(format!("clock showing half past {hour}"));
    }
    let name = match label.split_once(": ") {
        Some((who, "bald")) => format!("bald {who}"),
        Some((who, "beard")) => format!("{who} with a beard"),
        Some((who, "facing right")) => format!("{who} facing right"),
        Some((who, hair)) => format!("{who} with {hair}"),
        None => label,
    };
    Some(SHORT.iter().fold(name, |name, (short, full)| name.replace(short, full)))
}

/// What labels shorten by leaving out articles.
const SHORT: [(&str, &str); 33] = [
    ("with white cane", "with a white cane"),
    ("in motorized wheelchair", "in a motorized wheelchair"),
    ("in manual wheelchair", "in a manual wheelchair"),
    ("in suit levitating", "in a suit levitating"),
    ("in steamy room", "in a steamy room"),
    ("in lotus position", "in the lotus position"),
    ("rowing boat", "rowing a boat"),
    ("bouncing ball", "bouncing a ball"),
    ("with monocle", "with a monocle"),
    ("with thermometer", "with a thermometer"),
    ("with medical mask", "with a medical mask"),
    ("with halo", "with a halo"),
    ("face with tongue", "face with its tongue out"),
    ("with open mouth", "with an open mouth"),
    ("with raised eyebrow", "with a raised eyebrow"),
    ("with diagonal mouth", "with a diagonal mouth"),
    ("without mouth", "without a mouth"),
    ("hand over mouth", "a hand over its mouth"),
    ("with peeking eye", "with a peeking eye"),
    ("from nose", "from its nose"),
    ("on mouth", "on its mouth"),
    ("with popping cork", "with a popping cork"),
    ("without handle", "without a handle"),
    ("with swirl", "with a swirl"),
    ("sun with face", "sun with a face"),
    ("with wry smile", "with a wry smile"),
    ("with decorative cover", "with a decorative cover"),
    ("with raised flag", "with a raised flag"),
    ("with lowered flag", "with a lowered flag"),
    ("with ballot", "with a ballot"),
    ("in tuxedo", "in a tuxedo"),
    ("with veil", "with a veil"),
    ("wearing turban", "wearing a turban"),
];

const PREPOSITIONS: [&str; 17] = [
    "with",
    "of",
    "on",
    "in",
    "behind",
    "at",
    "without",
    "over",
    "from",
    "to",
    "under",
    "facing",
    "showing",
    "for",
    "not",
    "and",
    "gesturing",
];
/// What a verb in "-ing" follows.
const DOERS: [&str; 9] = ["person", "man", "woman", "face", "head", "leaf", "finger", "backhand", "people"];

const IRREGULAR: [(&str, &str); 43] = [
    ("person", "people"),
    ("man", "men"),
    ("woman", "women"),
    ("child", "children"),
    ("mouse", "mice"),
    ("tooth", "teeth"),
    ("foot", "feet"),
    ("goose", "geese"),
    ("leaf", "leaves"),
    ("knife", "knives"),
    ("wolf", "wolves"),
    ("elf", "elves"),
    ("scarf", "scarves"),
    ("die", "dice"),
    ("ox", "oxen"),
    ("fish", "fish"),
    ("blowfish", "blowfish"),
    ("jellyfish", "jellyfish"),
    ("deer", "deer"),
    ("moose", "moose"),
    ("bison", "bison"),
    ("buffalo", "buffaloes"),
    ("squid", "squid"),
    ("shrimp", "shrimp"),
    ("tomato", "tomatoes"),
    ("potato", "potatoes"),
    ("mango", "mangoes"),
    ("volcano", "volcanoes"),
    ("tornado", "tornadoes"),
    ("mosquito", "mosquitoes"),
    ("superhero", "superheroes"),
    ("burrito", "burritos"),
    ("salmon", "salmon"),
    ("aircraft", "aircraft"),
    ("biceps", "biceps"),
    ("moai", "moai"),
    ("sheaf", "sheaves"),
    ("mermaid", "mermaids"),
    ("kimono", "kimonos"),
    ("radio", "radios"),
    ("piano", "pianos"),
    ("lorry", "lorries"),
    ("baby", "babies"),
];

const DEFINITE: [&str; 3] = ["Milky Way", "Statue of Liberty", "Kaaba"];

const PROPER: [&str; 5] = ["Santa Claus", "Mrs. Claus", "Mx Claus", "Tokyo Tower", "Mount Fuji"];

const MASS: [&str; 41] = [
    "nail polish",
    "coral",
    "garlic",
    "broccoli",
    "bread",
    "flatbread",
    "stuffed flatbread",
    "meat on the bone",
    "bacon",
    "popcorn",
    "butter",
    "salt",
    "canned food",
    "cooked rice",
    "curry rice",
    "spaghetti",
    "oden",
    "sushi",
    "dango",
    "falafel",
    "fondue",
    "soft ice cream",
    "shaved ice",
    "ice cream",
    "custard",
    "sake",
    "mate",
    "ice",
    "bubble tea",
    "pouring liquid",
    "wood",
    "luggage",
    "fog",
    "fire",
    "money with wings",
    "soap",
    "candy",
    "shortcake",
    "ginger root",
    "fried shrimp",
    "french toast",
];

/// Names that are plurals without ending in one of [`PLURAL_HEADS`].
const PLURAL: [&str; 4] = ["woman and man holding hands", "revolving hearts", "two hearts", "hot springs"];

/// Last words of phrases that are plurals.
const PLURAL_HEADS: [&str; 62] = [
    "glasses",
    "sunglasses",
    "goggles",
    "jeans",
    "gloves",
    "socks",
    "briefs",
    "shorts",
    "clothes",
    "bags",
    "shoes",
    "beads",
    "scissors",
    "notes",
    "knobs",
    "maracas",
    "books",
    "frames",
    "grapes",
    "cherries",
    "blueberries",
    "pancakes",
    "fries",
    "chopsticks",
    "peanuts",
    "beans",
    "prints",
    "footprints",
    "hands",
    "fingers",
    "palms",
    "lungs",
    "eyes",
    "droplets",
    "hearts",
    "people",
    "men",
    "women",
    "busts",
    "houses",
    "sparkles",
    "fireworks",
    "dolls",
    "tickets",
    "skis",
    "masks",
    "cards",
    "swords",
    "chains",
    "bubbles",
    "paperclips",
    "dividers",
    "mugs",
    "waves",
    "binoculars",
    "trousers",
    "pins",
    "dishes",
    "slippers",
    "springs",
    "tabs",
    "biceps",
];

/// Labels that are no nouns, or read badly; an empty name leaves the emoji out.
const RENAMED: [(&str, &str); 114] = [
    ("person with crown", "person with a crown"),
    ("person with skullcap", "person with a skullcap"),
    ("woman with headscarf", "woman with a headscarf"),
    ("smiling face with tear", "smiling face with a tear"),
    ("grey heart", "gray heart"),
    ("lady beetle", "ladybug"),
    ("automobile", "car"),
    ("oncoming automobile", "oncoming car"),
    ("rolling on the floor laughing", "face rolling on the floor"),
    ("star-struck", "star-struck face"),
    ("money-mouth face", "money mouth face"),
    ("thumbs up", "thumbs-up hand"),
    ("thumbs down", "thumbs-down hand"),
    ("call me hand", "call-me hand"),
    ("palms up together", "open palms"),
    ("raised back of hand", "raised back of a hand"),
    ("hand with index finger and thumb crossed", "hand with crossed finger and thumb"),
    ("backhand index pointing left", "backhand pointing left"),
    ("backhand index pointing right", "backhand pointing right"),
    ("backhand index pointing up", "backhand pointing up"),
    ("backhand index pointing down", "backhand pointing down"),
    ("index pointing up", "finger pointing up"),
    ("index pointing at the viewer", "finger pointing at the viewer"),
    ("eye in speech bubble", "eye in a speech bubble"),
    ("hundred points", ""),
    ("ZZZ", ""),
    ("dizzy", "dizzy star"),
    ("dashing away", "puff of dust"),
    ("heart exclamation", "heart exclamation mark"),
    ("heart with arrow", "heart with an arrow"),
    ("heart with ribbon", "heart with a ribbon"),
    ("person getting massage", "person getting a massage"),
    ("man getting massage", "man getting a massage"),
    ("woman getting massage", "woman getting a massage"),
    ("person getting haircut", "person getting a haircut"),
    ("man getting haircut", "man getting a haircut"),
    ("woman getting haircut", "woman getting a haircut"),
    ("person taking bath", "person taking a bath"),
    ("person feeding baby", "person feeding a baby"),
    ("man feeding baby", "man feeding a baby"),
    ("woman feeding baby", "woman feeding a baby"),
    ("breast-feeding", "breast-feeding woman"),
    ("kiss", "kissing couple"),
    ("couple with heart", "couple with a heart"),
    ("horse racing", "racehorse with a jockey"),
    ("leaf fluttering in wind", "leaf fluttering in the wind"),
    ("baguette bread", "baguette"),
    ("meat on bone", "meat on the bone"),
    ("cooking", "fried egg in a pan"),
    ("fork and knife with plate", "plate with a fork and knife"),
    ("bowl with spoon", "bowl with a spoon"),
    ("cup with straw", "cup with a straw"),
    ("beach with umbrella", "beach with an umbrella"),
    ("camping", "campsite"),
    ("globe showing Europe-Africa", "globe showing Europe and Africa"),
    ("globe showing Americas", "globe showing the Americas"),
    ("globe showing Asia-Australia", "globe showing Asia and Australia"),
    ("building construction", "building under construction"),
    ("house with garden", "house with a garden"),
    ("mount fuji", "Mount Fuji"),
    ("wedding", "wedding chapel"),
    ("Tokyo tower", "Tokyo Tower"),
    ("hindu temple", "Hindu temple"),
    ("kaaba", "Kaaba"),
    ("foggy", "foggy city"),
    ("night with stars", "starry night"),
    ("construction", "construction barrier"),
    ("airplane departure", "departing airplane"),
    ("airplane arrival", "arriving airplane"),
    ("hourglass done", "finished hourglass"),
    ("hourglass not done", "running hourglass"),
    ("milky way", "Milky Way"),
    ("sun behind cloud", "sun behind a cloud"),
    ("sun behind small cloud", "sun behind a small cloud"),
    ("sun behind large cloud", "sun behind a large cloud"),
    ("sun behind rain cloud", "sun behind a rain cloud"),
    ("umbrella on ground", "umbrella on the ground"),
    ("high voltage", "lightning bolt"),
    ("1st place medal", "first place medal"),
    ("2nd place medal", "second place medal"),
    ("3rd place medal", "third place medal"),
    ("american football", "American football"),
    ("tennis", "tennis racket"),
    ("bowling", "bowling ball"),
    ("cricket game", "cricket bat"),
    ("field hockey", "field hockey stick"),
    ("ice hockey", "ice hockey stick"),
    ("lacrosse", "lacrosse stick"),
    ("ping pong", "ping pong paddle"),
    ("badminton", "badminton racket"),
    ("flag in hole", "golf flag"),
    ("mahjong red dragon", "mahjong tile"),
    ("performing arts", "theatre masks"),
    ("thread", "spool of thread"),
    ("yarn", "ball of yarn"),
    ("speaker low volume", "speaker at low volume"),
    ("speaker medium volume", "speaker at medium volume"),
    ("speaker high volume", "speaker at high volume"),
    ("mobile phone with arrow", "mobile phone with an arrow"),
    ("dvd", "DVD"),
    ("page with curl", "page with a curl"),
    ("e-mail", "email envelope"),
    ("envelope with arrow", "envelope with an arrow"),
    ("chart increasing", "rising chart"),
    ("chart decreasing", "falling chart"),
    ("chart increasing with yen", "rising chart with a yen sign"),
    ("locked", "closed padlock"),
    ("unlocked", "open padlock"),
    ("locked with pen", "padlock with a pen"),
    ("locked with key", "padlock with a key"),
    ("dna", "DNA strand"),
    ("bell with slash", "bell with a slash"),
    ("camera with flash", "camera with a flash"),
    ("face with head-bandage", "face with a head bandage"),
];
