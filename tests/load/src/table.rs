//! The table of figures, each with its aim and what came of it.

use serde::Serialize;

#[derive(Serialize)]
struct Row {
    figure: String,
    measured: String,
    aim: String,
    /// None where there is no aim, or nothing could be measured.
    meets: Option<bool>,
}

/// Rows in the order in which they are told.
#[derive(Serialize)]
pub struct Table {
    pub machine: String,
    rows: Vec<Row>,
}

impl Table {
    pub fn of(machine: String) -> Self {
        Self { machine, rows: Vec::new() }
    }

    /// A figure that may be at most, or at least, so much.
    pub fn aim(&mut self, figure: &str, value: f64, bound: Bound) {
        let meets = match bound {
            Bound::Most(most, _) => value <= most,
            Bound::Least(least, _) => value >= least,
        };
        let (sign, limit, unit) = match bound {
            Bound::Most(most, unit) => ("≤", most, unit),
            Bound::Least(least, unit) => ("≥", least, unit),
        };
        self.push(figure, number(value, unit), format!("{sign} {}", plain(limit, unit)), Some(meets));
    }

    /// A figure that explains others.
    pub fn tell(&mut self, figure: &str, measured: String) {
        self.push(figure, measured, String::new(), None);
    }

    /// An aim for which this run has no figure.
    pub fn lacks(&mut self, figure: &str, aim: &str, why: &str) {
        self.push(figure, why.to_owned(), aim.to_owned(), None);
    }

    fn push(&mut self, figure: &str, measured: String, aim: String, meets: Option<bool>) {
        self.rows.push(Row { figure: figure.to_owned(), measured, aim, meets });
    }

    pub fn print(&self) {
        println!("\n{}\n", self.machine);
        let width =
            |of: fn(&Row) -> &String| self.rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
        let (figures, measures, aims) =
            (width(|row| &row.figure), width(|row| &row.measured), width(|row| &row.aim));
        for row in &self.rows {
            let verdict = match (row.meets, row.aim.is_empty()) {
                (Some(true), _) => "pass",
                (Some(false), _) => "FALLS SHORT",
                (None, false) => "not measured",
                (None, true) => "",
            };
            let Row { figure, measured, aim, .. } = row;
            let line = format!("{figure:<figures$}  {measured:>measures$}  {aim:>aims$}  {verdict}");
            println!("{}", line.trim_end());
        }
        let count = |which: Option<bool>| self.rows.iter().filter(|row| row.meets == which).count();
        println!("\n{} aims met, {} fall short", count(Some(true)), count(Some(false)));
    }
}

/// What a figure may be, and its unit.
#[derive(Clone, Copy)]
pub enum Bound {
    Most(f64, &'static str),
    Least(f64, &'static str),
}

fn number(value: f64, unit: &str) -> String {
    let digits = if value >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$} {unit}")
}

fn plain(value: f64, unit: &str) -> String {
    format!("{value} {unit}")
}
