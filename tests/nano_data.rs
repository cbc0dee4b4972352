//! The data of the small model: captions, scenes, the judge and the tokenizers. The sprites are drawn here, so that
//! nothing needs to be downloaded.

#[path = "../examples/nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the examples")]
mod nano;

use std::collections::HashSet;

use nano::caption::Wording;
use nano::composer::{Composer, Split};
use nano::judge::Judge;
use nano::layout::SIZES;
use nano::noun::{Noun, name};
use nano::palette::{Colour, Style};
use nano::picture::Picture;
use nano::random::Random;
use nano::scene::{Arrangement, Position, Relation, Scene, is_held_out};
use nano::sprites::{Object, SIDE, Sprites, curated};
use nano::tally::Tally;
use nano::vocabulary::words;
use sdxl::text::Tokenizer;

/// Whether a shape covers a point of the square from -1 to 1.
type Shape = fn(f64, f64) -> bool;

const SHAPES: [(&str, [u8; 3], Shape); 6] = [
    ("disc", [230, 40, 40], |x, y| x * x + y * y < 1.),
    ("ring", [40, 90, 230], |x, y| (0.36..1.).contains(&(x * x + y * y))),
    ("arrow", [30, 160, 60], |x, y| x.abs() < (y + 1.) / 2.),
    ("cross", [140, 60, 200], |x, y| x.abs() < 0.3 || y.abs() < 0.3),
    ("bar", [240, 200, 40], |_, y| y.abs() < 0.35),
    ("owl", [120, 80, 50], |x, y| x.abs() < 0.6 && (y > -0.5 || x.abs() > 0.25)),
];

/// Six shapes in three styles: plain, shaded from top to bottom, and silhouettes.
fn sprites() -> Sprites {
    let mut sprites = Sprites::default();
    for (name, colour, shape) in SHAPES {
        for style in [Style::Flat, Style::Detailed, Style::Silhouette] {
            let mut pixels = Vec::new();
            for index in 0..SIDE * SIDE {
                let at = |position: usize| (position as f64 + 0.5) / SIDE as f64 * 2. - 1.;
                let (x, y) = (at(index % SIDE), at(index / SIDE));
                let light = if style == Style::Detailed { 0.6 - 0.4 * y } else { 1. };
                let [red, green, blue] = colour.map(|value| (f64::from(value) * light) as u8);
                pixels.extend(if shape(x, y) { [red, green, blue, 255] } else { [0; 4] });
            }
            let object =
                Object { name: name.to_owned(), group: String::new(), subgroup: String::new(), weight: 1. };
            sprites.add(object, style, &Picture::from_straight(SIDE, SIDE, pixels));
        }
    }
    sprites
}

fn scene(style: Style, ink: Option<Colour>, arrangement: Arrangement) -> Scene {
    Scene { style, background: Colour::Orange, ink, arrangement, seed: 1 }
}

#[test]
fn nouns_have_articles_and_plurals() {
    for (name, one, small, many) in [
        ("swan", "a swan", "a small swan", Some("swans")),
        ("owl", "an owl", "a small owl", Some("owls")),
        ("unicorn", "a unicorn", "a small unicorn", Some("unicorns")),
        ("hourglass", "an hourglass", "a small hourglass", Some("hourglasses")),
        (
            "one-piece swimsuit",
            "a one-piece swimsuit",
            "a small one-piece swimsuit",
            Some("one-piece swimsuits"),
        ),
        ("goggles", "goggles", "small goggles", None),
        ("prayer beads", "prayer beads", "small prayer beads", None),
        ("broccoli", "broccoli", "small broccoli", None),
        ("Santa Claus", "Santa Claus", "a small Santa Claus", None),
        ("Statue of Liberty", "the Statue of Liberty", "the small Statue of Liberty", None),
        ("glass of milk", "a glass of milk", "a small glass of milk", Some("glasses of milk")),
        ("man walking", "a man walking", "a small man walking", Some("men walking")),
        ("boxing glove", "a boxing glove", "a small boxing glove", Some("boxing gloves")),
        ("baby", "a baby", "a small baby", Some("babies")),
        ("monkey face", "a monkey face", "a small monkey face", Some("monkey faces")),
        ("wolf", "a wolf", "a small wolf", Some("wolves")),
        ("fire engine", "a fire engine", "a small fire engine", Some("fire engines")),
        ("hammer and wrench", "a hammer and wrench", "a small hammer and wrench", None),
    ] {
        let noun = Noun::new(name);
        assert_eq!(noun.one(), one);
        assert_eq!(noun.described("small"), small);
        assert_eq!(noun.many().as_deref(), many, "{name}");
    }
}

#[test]
fn labels_become_names() {
    for (label, expected) in [
        ("red apple", Some("red apple")),
        ("man’s shoe", Some("man's shoe")),
        ("three o’clock", Some("clock showing three")),
        ("ten-thirty", Some("clock showing half past ten")),
        ("man: bald", Some("bald man")),
        ("person: beard", Some("person with a beard")),
        ("person walking: facing right", Some("person walking facing right")),
        ("high voltage", Some("lightning bolt")),
        ("face with open eyes and hand over mouth", Some("face with open eyes and a hand over its mouth")),
        ("family: man, woman, boy", None),
        ("ZZZ", None),
    ] {
        assert_eq!(name(label).as_deref(), expected, "{label}");
    }
}

#[test]
fn captions_say_what_scenes_show() {
    let object = || "owl".to_owned();
    let one = scene(Style::Flat, None, Arrangement::One { object: object() });
    let small =
        scene(Style::ThreeD, None, Arrangement::Small { object: object(), position: Position::TopRight });
    let two = |relation| {
        let arrangement = Arrangement::Two { first: object(), second: "goggles".to_owned(), relation };
        scene(Style::Blob, None, arrangement)
    };
    let copies = scene(Style::Glossy, None, Arrangement::Copies { object: object(), number: 4 });
    let inked = |arrangement| scene(Style::Silhouette, Some(Colour::Teal), arrangement);
    let otherwise = Wording { otherwise: true, ..Wording::FULL };
    let bare = Wording { style: false, background: false, otherwise: false };
    for (scene, wording, caption) in [
        (&one, Wording::FULL, "flat style, an owl on an orange background"),
        (&one, otherwise, "flat style, an owl, orange background"),
        (&one, bare, "an owl"),
        (&small, Wording::FULL, "3d style, a small owl in the top right corner, orange background"),
        (
            &two(Relation::LeftOf),
            Wording::FULL,
            "blob style, an owl to the left of goggles, orange background",
        ),
        (&two(Relation::LeftOf), otherwise, "blob style, goggles to the right of an owl, orange background"),
        (&two(Relation::Above), bare, "an owl above goggles"),
        (&two(Relation::Above), otherwise, "blob style, goggles below an owl, orange background"),
        (&copies, Wording::FULL, "glossy style, four copies of an owl, orange background"),
        (&copies, otherwise, "glossy style, four owls, orange background"),
        (
            &inked(one.arrangement.clone()),
            Wording::FULL,
            "a teal silhouette of an owl on an orange background",
        ),
        (
            &inked(small.arrangement.clone()),
            bare,
            "a small teal silhouette of an owl in the top right corner",
        ),
        (&inked(two(Relation::Above).arrangement), bare, "teal silhouettes of an owl above goggles"),
        (&inked(copies.arrangement.clone()), otherwise, "four teal silhouettes of an owl, orange background"),
    ] {
        assert_eq!(scene.caption(wording), caption);
    }
}

#[test]
fn the_same_seed_gives_the_same_scenes() {
    let sprites = sprites();
    let again = self::sprites();
    let (composer, other) =
        (Composer::new(&sprites, 3, Split::Training), Composer::new(&again, 3, Split::Training));
    let mut different = HashSet::new();
    for index in 0..50 {
        let scene = composer.scene(index).unwrap();
        assert_eq!(Some(&scene), other.scene(index).as_ref());
        let read: Scene = serde_json::from_str(&serde_json::to_string(&scene).unwrap()).unwrap();
        assert_eq!(read, scene);
        let image = sprites.render(&scene, 144, 112).unwrap();
        assert_eq!((image.width(), image.height()), (144, 112));
        assert_eq!(image, again.render(&read, 144, 112).unwrap());
        different.insert(image.pixels().iter().copied().collect::<Vec<u8>>());
    }
    assert!(different.len() > 45, "{} different pictures of 50", different.len());
    // The stream is part of what a trained model is: a change here is a new data set.
    let first = composer.scene(0).unwrap();
    assert_eq!(first.caption(Wording::FULL), FIRST_CAPTION);
}

/// The first caption of seed 3.
const FIRST_CAPTION: &str = "brown silhouettes of a cross above a bar, teal background";

#[test]
fn training_never_shows_what_is_held_out() {
    let sprites = sprites();
    let (training, kept) =
        (Composer::new(&sprites, 5, Split::Training), Composer::new(&sprites, 5, Split::HeldOut));
    for index in 0..2000 {
        assert!(!is_held_out(&training.scene(index).unwrap()));
    }
    for index in 0..50 {
        assert!(is_held_out(&kept.scene(index).unwrap()));
    }
    // About one combination of twenty, whatever the style.
    let mut held_out = 0;
    for index in 0..200 {
        for background in Colour::ALL {
            let arrangement = Arrangement::One { object: format!("object {index}") };
            let mut scene = Scene { background, ..scene(Style::Flat, None, arrangement) };
            let answer = is_held_out(&scene);
            held_out += u32::from(answer);
            scene.style = Style::Blob;
            scene.seed = 9;
            assert_eq!(is_held_out(&scene), answer);
        }
    }
    assert!((80..160).contains(&held_out), "{held_out} of 2400");
}

#[test]
fn objects_are_inside_apart_and_in_order() {
    let sprites = sprites();
    let composer = Composer::new(&sprites, 11, Split::Training);
    for index in 0..500 {
        let scene = composer.scene(index).unwrap();
        for (width, height) in SIZES {
            let places = scene.layout(width, height);
            assert_eq!(places.len(), scene.objects().len());
            for (number, place) in places.iter().enumerate() {
                let half = place.size / 2.;
                assert!(half >= 13., "{scene:?} at {width} x {height}");
                assert!(
                    place.x - half >= 0. && place.x + half <= width as f64,
                    "{scene:?} at {width} x {height}"
                );
                assert!(
                    place.y - half >= 0. && place.y + half <= height as f64,
                    "{scene:?} at {width} x {height}"
                );
                for other in &places[number + 1..] {
                    let gap = (place.x - other.x).abs().max((place.y - other.y).abs()) - place.size;
                    assert!(gap > 3., "{gap} between objects of {scene:?} at {width} x {height}");
                }
            }
            match (&scene.arrangement, &places[..]) {
                (Arrangement::Two { relation: Relation::LeftOf, .. }, [first, second]) => {
                    assert!(first.x < second.x)
                }
                (Arrangement::Two { relation: Relation::Above, .. }, [first, second]) => {
                    assert!(first.y < second.y)
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_judge_reads_composed_scenes() {
    let sprites = sprites();
    let judge = Judge::new(&sprites);
    let composer = Composer::new(&sprites, 2, Split::Training);
    let mut tally = Tally::default();
    for index in 0..120 {
        let scene = composer.scene(index).unwrap();
        let (width, height) = SIZES[index as usize % SIZES.len()];
        tally.add(&judge.judge(&sprites.render(&scene, width, height).unwrap(), &scene));
    }
    for (question, answers) in tally.rows() {
        assert!(answers.asked > 5, "{question}: asked {} times", answers.asked);
        assert!(answers.rate() >= 0.97, "{question}: {:.3} of {}", answers.rate(), answers.asked);
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let sprites = sprites();
    let judge = Judge::new(&sprites);
    let arrangement =
        Arrangement::Two { first: "disc".to_owned(), second: "cross".to_owned(), relation: Relation::LeftOf };
    let scene = Scene { background: Colour::White, ..scene(Style::Flat, None, arrangement) };
    let image = sprites.render(&scene, 128, 128).unwrap();
    let judged = |change: &dyn Fn(&mut Scene)| {
        let mut other = scene.clone();
        change(&mut other);
        judge.judge(&image, &other)
    };
    let right = judged(&|_| {});
    assert!(right.background && right.number && right.style && right.relation == Some(true));
    assert_eq!(right.objects, 1.);
    let reading = judge.read(&image);
    let disc = reading.things.iter().min_by(|one, other| one.x.total_cmp(&other.x)).unwrap();
    let distance = disc.distance("disc", Style::Flat);
    assert!(distance < 20. && distance < disc.distance("disc", Style::Detailed), "{distance}");
    assert!(distance < disc.distance("cross", Style::Flat));
    assert_eq!(disc.distance("unicorn", Style::Flat), f32::INFINITY);
    assert!(!judged(&|scene| scene.background = Colour::Teal).background);
    assert!(!judged(&|scene| scene.style = Style::Detailed).style);
    let two = |first: &str, second: &str, relation| Arrangement::Two {
        first: first.to_owned(),
        second: second.to_owned(),
        relation,
    };
    let swapped = judged(&|scene| scene.arrangement = two("cross", "disc", Relation::LeftOf));
    assert_eq!((swapped.relation, swapped.objects), (Some(false), 1.));
    let above = judged(&|scene| scene.arrangement = two("disc", "cross", Relation::Above));
    assert_eq!(above.relation, Some(false));
    let other = judged(&|scene| scene.arrangement = two("disc", "owl", Relation::LeftOf));
    assert_eq!(other.objects, 0.5);
    let three =
        judged(&|scene| scene.arrangement = Arrangement::Copies { object: "disc".to_owned(), number: 3 });
    assert!(!three.number);
}

#[test]
fn the_tokenizers_know_the_curated_words() {
    let names: Vec<&str> = curated().collect();
    assert!(names.len() >= 60);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());

    for (folder, padding) in [("tokenizer", None), ("tokenizer_2", Some(0))] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/nano").join(folder);
        let tokenizer = Tokenizer::from_folder(path).unwrap();
        assert_eq!(tokenizer.context_length(), 32);
        assert!(tokenizer.start_id() < 4096 && tokenizer.end_id() < 4096);
        assert_eq!(tokenizer.padding_id(), padding.unwrap_or(tokenizer.end_id()));
        let mut random = Random::new(0, 0);
        for name in &names {
            let arrangement = Arrangement::Copies { object: (*name).to_owned(), number: 3 };
            let caption = scene(Style::Detailed, None, arrangement).caption(Wording::random(&mut random));
            let ids = tokenizer.ids(&caption).unwrap();
            assert_eq!(ids.len(), words(&caption).len(), "{caption}: a symbol for each word");
            assert_eq!(tokenizer.encode(&caption).unwrap().cut, None);
        }
        // What was never seen is spelled.
        assert!(tokenizer.ids("zebrafish, naïve").unwrap().len() > 3);
    }
}
