//! [`Tally`]: the verdicts on many pictures, as a table.

use std::fmt::{self, Display};

use super::judge::Verdict;

/// How often each question was asked and answered rightly.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub background: Answers,
    pub number: Answers,
    pub relation: Answers,
    pub position: Answers,
    pub style: Answers,
    pub objects: Answers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answers {
    pub asked: u32,
    pub right: f64,
}

impl Answers {
    fn add(&mut self, right: f64) {
        self.asked += 1;
        self.right += right;
    }

    /// The part that was right; 0 where nothing was asked.
    pub fn rate(&self) -> f64 {
        self.right / f64::from(self.asked.max(1))
    }
}

impl Tally {
    pub fn add(&mut self, verdict: &Verdict) {
        let number = |right: bool| f64::from(u8::from(right));
        self.background.add(number(verdict.background));
        self.number.add(number(verdict.number));
        self.style.add(number(verdict.style));
        self.objects.add(verdict.objects);
        verdict.relation.into_iter().for_each(|right| self.relation.add(number(right)));
        verdict.position.into_iter().for_each(|right| self.position.add(number(right)));
    }

    /// Each question with its answers.
    pub fn rows(&self) -> [(&'static str, Answers); 6] {
        [
            ("background colour", self.background),
            ("number of objects", self.number),
            ("left/right, above/below", self.relation),
            ("place of a small object", self.position),
            ("style", self.style),
            ("object is the nearest of all", self.objects),
        ]
    }
}

/// A table in Markdown with a column for each of several kinds of pictures.
pub struct Table<'a>(pub &'a [(String, Tally)]);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| question |")?;
        self.0.iter().try_for_each(|(name, _)| write!(f, " {name} |"))?;
        write!(f, "\n|---|")?;
        self.0.iter().try_for_each(|_| write!(f, "---|"))?;
        for (row, (question, _)) in Tally::default().rows().iter().enumerate() {
            write!(f, "\n| {question} |")?;
            for (_, tally) in self.0 {
                let answers = tally.rows().get(row).map(|(_, answers)| *answers).unwrap_or_default();
                write!(f, " {:.1} % of {} |", 100. * answers.rate(), answers.asked)?;
            }
        }
        writeln!(f)
    }
}
