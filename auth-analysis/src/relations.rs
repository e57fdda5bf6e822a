//! What a vocabulary says of roles and permissions, thought through to the end.

/// Which roles imply, exclude and are granted what. Roles and permissions are numbers.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    /// For each role those that it implies, in any number of steps.
    implied: Vec<Vec<bool>>,
    excluded: Vec<Vec<bool>>,
    granted: Vec<Vec<bool>>,
}

impl Relations {
    /// From what is written: pairs of a role and one that it implies, of two roles that exclude each other, of a role and
    /// a permission that it is granted.
    #[must_use]
    pub fn new(
        roles: usize,
        implies: &[(usize, usize)],
        excludes: &[(usize, usize)],
        permissions: usize,
        grants: &[(usize, usize)],
    ) -> Self {
        let mut implied = vec![vec![false; roles]; roles];
        for &(role, other) in implies {
            set(&mut implied, role, other);
        }
        // Warshall: through each role in turn.
        for through in 0..roles {
            let reached = implied.get(through).cloned().unwrap_or_default();
            for row in implied.iter_mut().filter(|row| holds(row, through)) {
                join(row, &reached);
            }
        }
        // What a role counts as: itself, and what it implies.
        let counts_as = |role: usize, other: usize| {
            role == other || implied.get(role).is_some_and(|row| holds(row, other))
        };
        let mut excluded = vec![vec![false; roles]; roles];
        for &(one, other) in excludes {
            for a in (0..roles).filter(|&role| counts_as(role, one)) {
                for b in (0..roles).filter(|&role| counts_as(role, other)) {
                    set(&mut excluded, a, b);
                    set(&mut excluded, b, a);
                }
            }
        }
        let mut granted = vec![vec![false; permissions]; roles];
        for &(one, permission) in grants {
            for role in (0..roles).filter(|&role| counts_as(role, one)) {
                set(&mut granted, role, permission);
            }
        }
        Self { implied, excluded, granted }
    }

    /// Whether who has `role` has `other`, which is not the same.
    #[must_use]
    pub fn implies(&self, role: usize, other: usize) -> bool {
        role != other && at(&self.implied, role, other)
    }

    /// Whether the role implies itself, by way of others.
    #[must_use]
    pub fn is_in_cycle(&self, role: usize) -> bool {
        at(&self.implied, role, role)
    }

    /// Whether nobody has both. Of a role with itself: nobody has it at all.
    #[must_use]
    pub fn excludes(&self, role: usize, other: usize) -> bool {
        at(&self.excluded, role, other)
    }

    /// Whether who has the role has the permission.
    #[must_use]
    pub fn grants(&self, role: usize, permission: usize) -> bool {
        at(&self.granted, role, permission)
    }

    /// All roles that this one implies, in order.
    pub fn implied_by(&self, role: usize) -> impl Iterator<Item = usize> {
        self.implied
            .get(role)
            .into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(other, implied)| implied.then_some(other))
    }
}

fn at(rows: &[Vec<bool>], row: usize, column: usize) -> bool {
    rows.get(row).is_some_and(|row| holds(row, column))
}

fn holds(row: &[bool], column: usize) -> bool {
    row.get(column).copied().unwrap_or(false)
}

fn set(rows: &mut [Vec<bool>], row: usize, column: usize) {
    if let Some(place) = rows.get_mut(row).and_then(|row| row.get_mut(column)) {
        *place = true;
    }
}

fn join(row: &mut [bool], more: &[bool]) {
    row.iter_mut().zip(more).for_each(|(place, more)| *place |= more);
}
