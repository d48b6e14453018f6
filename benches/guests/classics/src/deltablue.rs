//! DeltaBlue: an incremental solver of one-way constraints with strengths, on a chain of equalities and on scaled
//! projections. Variables and constraints lie in vectors and name each other by index.

const REQUIRED: u8 = 0;
const PREFERRED: u8 = 2;
const DEFAULT: u8 = 4;
const WEAKEST: u8 = 6;

struct Variable {
    value: i32,
    constraints: Vec<usize>,
    determined_by: Option<usize>,
    mark: u32,
    walk: u8,
    stays: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Stay,
    Edit,
    Equal,
    /// `b = a * factor + offset`; these are variables too.
    Scale { factor: usize, offset: usize },
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Unsatisfied,
    Forward,
    Backward,
}

struct Constraint {
    kind: Kind,
    strength: u8,
    a: usize,
    b: usize,
    direction: Direction,
}

impl Constraint {
    fn output(&self) -> usize {
        match (self.kind, self.direction) {
            (Kind::Stay | Kind::Edit, _) | (_, Direction::Backward) => self.a,
            _ => self.b,
        }
    }

    /// The variables that it reads.
    fn inputs(&self) -> [Option<usize>; 3] {
        let input = if self.direction == Direction::Forward { self.a } else { self.b };
        match self.kind {
            Kind::Stay | Kind::Edit => [None; 3],
            Kind::Equal => [Some(input), None, None],
            Kind::Scale { factor, offset } => [Some(input), Some(factor), Some(offset)],
        }
    }
}

#[derive(Default)]
struct Planner {
    variables: Vec<Variable>,
    constraints: Vec<Constraint>,
    mark: u32,
}

impl Planner {
    fn variable(&mut self, value: i32) -> usize {
        self.variables.push(Variable {
            value,
            constraints: Vec::new(),
            determined_by: None,
            mark: 0,
            walk: WEAKEST,
            stays: true,
        });
        self.variables.len() - 1
    }

    fn new_mark(&mut self) -> u32 {
        self.mark += 1;
        self.mark
    }

    /// Adds a constraint and satisfies it if its strength allows.
    fn add(&mut self, kind: Kind, strength: u8, a: usize, b: usize) -> usize {
        let id = self.constraints.len();
        self.constraints.push(Constraint { kind, strength, a, b, direction: Direction::Unsatisfied });
        self.attach(id);
        self.incremental_add(id);
        id
    }

    fn touched(&self, id: usize) -> Vec<usize> {
        let constraint = &self.constraints[id];
        match constraint.kind {
            Kind::Stay | Kind::Edit => vec![constraint.a],
            Kind::Equal => vec![constraint.a, constraint.b],
            Kind::Scale { factor, offset } => vec![constraint.a, constraint.b, factor, offset],
        }
    }

    fn attach(&mut self, id: usize) {
        for variable in self.touched(id) {
            self.variables[variable].constraints.push(id);
        }
    }

    fn incremental_add(&mut self, id: usize) {
        let mark = self.new_mark();
        let mut overridden = self.satisfy(id, mark);
        while let Some(other) = overridden {
            overridden = self.satisfy(other, mark);
        }
    }

    fn choose(&self, id: usize, mark: u32) -> Direction {
        let constraint = &self.constraints[id];
        let (a, b) = (&self.variables[constraint.a], &self.variables[constraint.b]);
        let may_set = |v: &Variable| v.mark != mark && constraint.strength < v.walk;
        if matches!(constraint.kind, Kind::Stay | Kind::Edit) {
            return if may_set(a) { Direction::Forward } else { Direction::Unsatisfied };
        }
        let backward = if a.mark == mark {
            false
        } else if b.mark == mark {
            true
        } else {
            a.walk > b.walk
        };
        match backward {
            true if may_set(a) => Direction::Backward,
            false if may_set(b) => Direction::Forward,
            _ => Direction::Unsatisfied,
        }
    }

    /// Satisfies a constraint if it can be, and gives the one whose place it takes.
    fn satisfy(&mut self, id: usize, mark: u32) -> Option<usize> {
        let direction = self.choose(id, mark);
        self.constraints[id].direction = direction;
        if direction == Direction::Unsatisfied {
            assert!(self.constraints[id].strength != REQUIRED);
            return None;
        }
        for input in self.constraints[id].inputs().into_iter().flatten() {
            self.variables[input].mark = mark;
        }
        let output = self.constraints[id].output();
        let overridden = self.variables[output].determined_by.replace(id);
        if let Some(other) = overridden {
            self.constraints[other].direction = Direction::Unsatisfied;
        }
        assert!(self.propagate(id, mark), "a cycle");
        self.variables[output].mark = mark;
        overridden
    }

    /// Recomputes what follows from a constraint that has just been satisfied; false for a cycle.
    fn propagate(&mut self, id: usize, mark: u32) -> bool {
        let mut todo = vec![id];
        while let Some(next) = todo.pop() {
            let output = self.constraints[next].output();
            if self.variables[output].mark == mark {
                self.incremental_remove(id);
                return false;
            }
            self.recalculate(next);
            self.consumers(output, &mut todo);
        }
        true
    }

    /// The satisfied constraints that read a variable.
    fn consumers(&self, variable: usize, into: &mut Vec<usize>) {
        let v = &self.variables[variable];
        let reads = |c: &&usize| Some(**c) != v.determined_by && self.constraints[**c].direction != Direction::Unsatisfied;
        into.extend(v.constraints.iter().filter(reads));
    }

    fn recalculate(&mut self, id: usize) {
        let constraint = &self.constraints[id];
        let (mut walk, mut stays) = (constraint.strength, constraint.kind != Kind::Edit);
        for (i, input) in constraint.inputs().into_iter().flatten().enumerate() {
            let input = &self.variables[input];
            // The factor and the offset of a scale are never set by it.
            if i == 0 {
                walk = walk.max(input.walk);
            }
            stays &= input.stays;
        }
        let output = constraint.output();
        self.variables[output].walk = walk;
        self.variables[output].stays = stays;
        if stays {
            self.execute(id);
        }
    }

    fn execute(&mut self, id: usize) {
        let constraint = &self.constraints[id];
        let value = |v: usize| self.variables[v].value;
        let result = match (constraint.kind, constraint.direction) {
            (Kind::Stay | Kind::Edit, _) => return,
            (Kind::Equal, Direction::Backward) => value(constraint.b),
            (Kind::Equal, _) => value(constraint.a),
            (Kind::Scale { factor, offset }, Direction::Backward) => (value(constraint.b) - value(offset)) / value(factor),
            (Kind::Scale { factor, offset }, _) => value(constraint.a) * value(factor) + value(offset),
        };
        let output = constraint.output();
        self.variables[output].value = result;
    }

    /// Takes a constraint out and satisfies weaker ones that can be satisfied now, the strongest first.
    fn remove(&mut self, id: usize) {
        if self.constraints[id].direction != Direction::Unsatisfied {
            self.incremental_remove(id);
        } else {
            self.detach(id);
        }
    }

    fn detach(&mut self, id: usize) {
        for variable in self.touched(id) {
            self.variables[variable].constraints.retain(|c| *c != id);
        }
    }

    fn incremental_remove(&mut self, id: usize) {
        let output = self.constraints[id].output();
        self.constraints[id].direction = Direction::Unsatisfied;
        self.detach(id);
        let v = &mut self.variables[output];
        (v.determined_by, v.walk, v.stays) = (None, WEAKEST, true);
        let (mut unsatisfied, mut todo) = (Vec::<usize>::new(), vec![output]);
        while let Some(variable) = todo.pop() {
            let loose = |c: &&usize| self.constraints[**c].direction == Direction::Unsatisfied;
            unsatisfied.extend(self.variables[variable].constraints.iter().filter(loose));
            let mut consumers = Vec::<usize>::new();
            self.consumers(variable, &mut consumers);
            for next in consumers {
                self.recalculate(next);
                todo.push(self.constraints[next].output());
            }
        }
        unsatisfied.sort_by_key(|c| self.constraints[*c].strength);
        for other in unsatisfied {
            if self.constraints[other].direction == Direction::Unsatisfied {
                self.incremental_add(other);
            }
        }
    }

    /// The constraints to execute, in order, when what the given edit constraints set changes.
    fn plan(&mut self, edits: &[usize]) -> Vec<usize> {
        let mark = self.new_mark();
        let (mut plan, mut todo) = (Vec::new(), edits.to_vec());
        while let Some(id) = todo.pop() {
            let constraint = &self.constraints[id];
            let output = constraint.output();
            let known = |v: usize| {
                let v = &self.variables[v];
                v.mark == mark || v.stays || v.determined_by.is_none()
            };
            if self.variables[output].mark != mark && constraint.inputs().into_iter().flatten().all(known) {
                plan.push(id);
                self.variables[output].mark = mark;
                self.consumers(output, &mut todo);
            }
        }
        plan
    }

    /// Sets a variable to one value after another through an edit constraint; gives the sum of another variable.
    fn edit(&mut self, variable: usize, values: std::ops::Range<i32>, watched: usize) -> i64 {
        let edit = self.add(Kind::Edit, PREFERRED, variable, variable);
        let plan = self.plan(&[edit]);
        let mut sum = 0;
        for value in values {
            self.variables[variable].value = value;
            for id in &plan {
                self.execute(*id);
            }
            sum += i64::from(self.variables[watched].value);
        }
        self.remove(edit);
        sum
    }
}

/// A chain of equal variables: what is set at its head arrives at its end.
fn chain(length: usize) -> i64 {
    let mut planner = Planner::default();
    let first = planner.variable(0);
    let mut last = first;
    for _ in 0..length {
        let next = planner.variable(0);
        planner.add(Kind::Equal, REQUIRED, last, next);
        last = next;
    }
    planner.add(Kind::Stay, DEFAULT, last, last);
    planner.edit(first, 0..100, last)
}

/// Points that are scaled one by one with a common factor and offset; each of these and a point at either end change.
fn projection(count: usize) -> i64 {
    let mut planner = Planner::default();
    let (factor, offset) = (planner.variable(10), planner.variable(1000));
    let (mut from, mut to) = (0, 0);
    for i in 0..count as i32 {
        (from, to) = (planner.variable(i), planner.variable(i));
        planner.add(Kind::Stay, DEFAULT, from, from);
        planner.add(Kind::Scale { factor, offset }, REQUIRED, from, to);
    }
    let mut sum = planner.edit(from, 17..20, to);
    sum = sum * 7 + planner.edit(to, 1050..1060, from);
    sum = sum * 7 + planner.edit(factor, 3..8, to);
    sum * 7 + planner.edit(offset, 2000..2010, to)
}

#[unsafe(no_mangle)]
extern "C" fn deltablue(rounds: i32) -> i64 {
    (0..rounds.max(0)).fold(0, |sum: i64, _| sum.wrapping_mul(31).wrapping_add(chain(1000) * 1_000_003 + projection(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_travel_along_a_chain() {
        assert_eq!(chain(50), (0..100).sum::<i64>());
    }

    #[test]
    fn projections_follow_both_ends_and_the_factors() {
        let forward: i64 = (17..20).map(|v| v * 10 + 1000).sum();
        let backward: i64 = (1050..1060).map(|v| (v - 1000) / 10).sum();
        // Afterwards the point keeps what the last edit gave it: (1059 - 1000) / 10.
        let kept = 5;
        let factor: i64 = (3..8).map(|f| kept * f + 1000).sum();
        let offset: i64 = (2000..2010).map(|o| kept * 7 + o).sum();
        assert_eq!(projection(50), ((forward * 7 + backward) * 7 + factor) * 7 + offset);
    }
}
