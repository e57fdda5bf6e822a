//! What a vocabulary says of roles and permissions, thought through to the end.

use std::collections::BTreeSet;

/// Which roles imply, exclude and are granted what. Roles and permissions are numbers.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    /// For each role those that it implies, in any number of steps.
    implied: Vec<BTreeSet<usize>>,
    /// Both ways.
    excluded: BTreeSet<(usize, usize)>,
    /// Role and permission.
    granted: BTreeSet<(usize, usize)>,
}

impl Relations {
    /// From what is written: pairs of a role and one that it implies, of two roles that exclude each other, of a role and
    /// a permission that it is granted.
    #[must_use]
    pub fn new(
        roles: usize,
        implies: &[(usize, usize)],
        excludes: &[(usize, usize)],
        grants: &[(usize, usize)],
    ) -> Self {
        let mut direct: Vec<Vec<usize>> = vec![Vec::new(); roles];
        for &(role, other) in implies {
            direct.get_mut(role).into_iter().for_each(|list| list.push(other));
        }
        let implied: Vec<BTreeSet<usize>> = (0..roles).map(|role| reached(role, &direct)).collect();
        // The roles that count as each: itself, and those that imply it.
        let mut counting: Vec<Vec<usize>> = (0..roles).map(|role| vec![role]).collect();
        for (role, others) in implied.iter().enumerate() {
            for &other in others.iter().filter(|&&other| other != role) {
                counting.get_mut(other).into_iter().for_each(|list| list.push(role));
            }
        }
        let counting = |role: usize| counting.get(role).into_iter().flatten().copied();
        let mut excluded = BTreeSet::new();
        for &(one, other) in excludes {
            for a in counting(one) {
                excluded.extend(counting(other).flat_map(|b| [(a, b), (b, a)]));
            }
        }
        let granted =
            grants.iter().flat_map(|&(role, permission)| counting(role).map(move |role| (role, permission)));
        let granted = granted.collect();
        Self { implied, excluded, granted }
    }

    /// Whether who has `role` has `other`, which is not the same.
    #[must_use]
    pub fn implies(&self, role: usize, other: usize) -> bool {
        role != other && self.reaches(role, other)
    }

    /// Whether the role implies itself, by way of others.
    #[must_use]
    pub fn is_in_cycle(&self, role: usize) -> bool {
        self.reaches(role, role)
    }

    /// Whether no caller has both. Of a role with itself: no caller has it at all.
    #[must_use]
    pub fn excludes(&self, role: usize, other: usize) -> bool {
        self.excluded.contains(&(role, other))
    }

    /// Whether who has the role has the permission.
    #[must_use]
    pub fn grants(&self, role: usize, permission: usize) -> bool {
        self.granted.contains(&(role, permission))
    }

    /// All roles that this one implies, in order.
    pub fn implied_by(&self, role: usize) -> impl Iterator<Item = usize> {
        self.implied.get(role).into_iter().flatten().copied()
    }

    fn reaches(&self, role: usize, other: usize) -> bool {
        self.implied.get(role).is_some_and(|implied| implied.contains(&other))
    }
}

/// The roles that one leads to, in any number of steps.
fn reached(role: usize, direct: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![role];
    while let Some(next) = open.pop() {
        for &other in direct.get(next).into_iter().flatten() {
            if reached.insert(other) {
                open.push(other);
            }
        }
    }
    reached
}
