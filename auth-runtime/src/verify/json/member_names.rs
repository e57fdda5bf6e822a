//! The names of members: whether one appears twice in its object, and which have a place of their own.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

/// Makes the names that have a place of their own.
macro_rules! known {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A name of a member of the outermost object that has a place of its own: it is found without a search.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(in crate::verify) enum Known { $($variant),+ }

        impl Known {
            const ALL: &[(Self, &str)] = &[$((Self::$variant, $name)),+];
        }
    };
}

known! {
    Acr "acr",
    Amr "amr",
    Aud "aud",
    AuthTime "auth_time",
    ClientId "client_id",
    Cnf "cnf",
    Events "events",
    Exp "exp",
    Iat "iat",
    Iss "iss",
    IssuerGeneration "issuer_generation",
    Jti "jti",
    Nbf "nbf",
    Permissions "permissions",
    Roles "roles",
    Scope "scope",
    Scp "scp",
    Sid "sid",
    Sub "sub",
    UserGeneration "user_generation",
}

impl Known {
    const COUNT: usize = Self::ALL.len();

    /// The name that has a place, if this one has.
    pub(in crate::verify) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(known, _)| *known)
    }

    pub(in crate::verify) fn text(self) -> &'static str {
        Self::ALL.get(self as usize).map_or("", |(_, name)| name)
    }

    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        Self::ALL.iter().copied()
    }
}

/// Where the values of the known names are; 0, which is the outermost object, if there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places([u32; Known::COUNT]);

impl Places {
    pub(super) fn of(&self, name: Known) -> Option<usize> {
        self.0.get(name as usize).map(|place| *place as usize).filter(|place| *place != 0)
    }

    pub(super) fn set(&mut self, name: Known, place: usize) {
        if let Some(known) = self.0.get_mut(name as usize) {
            *known = u32::try_from(place).unwrap_or(0);
        }
    }
}

/// How many slots the table of known names has: enough for short searches.
const SLOTS: usize = 128;

/// How names are hashed, and the table of the known ones, which is made once.
///
/// The key is random in each process. A hash that somebody can guess costs time, and decides nothing: names with the same hash are
/// compared. An object has 256 members at most, so 256 names of one hash take 32,640 comparisons, of which a token of 16 KiB has room
/// for a few: some milliseconds.
pub(super) struct MemberNames<S> {
    state: S,
    table: [Option<Known>; SLOTS],
}

impl MemberNames<SeedableRandomState> {
    /// Those of this process.
    pub(super) fn of_process() -> &'static Self {
        static NAMES: LazyLock<MemberNames<SeedableRandomState>> = LazyLock::new(|| {
            // The seed of the system: foldhash's own is made of addresses and the time.
            let seed = RandomState::new().hash_one(0);
            MemberNames::new(SeedableRandomState::with_seed(seed, SharedSeed::global_random()))
        });
        &NAMES
    }
}

impl<S: BuildHasher> MemberNames<S> {
    pub(super) fn new(state: S) -> Self {
        let mut names = Self { state, table: [None; SLOTS] };
        for (known, name) in Known::ALL {
            let slots = names.slots(names.hash(name.as_bytes()));
            if let Some(slot) = slots.into_iter().find(|slot| names.at(*slot).is_none())
                && let Some(free) = names.table.get_mut(slot)
            {
                *free = Some(*known);
            }
        }
        names
    }

    pub(super) fn hash(&self, name: &[u8]) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write(name);
        let hash = hasher.finish();
        #[allow(clippy::cast_possible_truncation, reason = "both halves count")]
        let folded = (hash ^ hash >> 32) as u32;
        folded
    }

    /// The known name that this one is.
    pub(super) fn known(&self, hash: u32, name: &[u8]) -> Option<Known> {
        for slot in self.slots(hash) {
            let known = self.at(slot)?;
            if known.text().as_bytes() == name {
                return Some(known);
            }
        }
        None
    }

    /// The slots in which a name of this hash may be, in the order of the search, which ends at an empty one.
    fn slots(&self, hash: u32) -> impl Iterator<Item = usize> + use<S> {
        (0..SLOTS).map(move |step| (hash as usize + step) % SLOTS)
    }

    fn at(&self, slot: usize) -> Option<Known> {
        self.table.get(slot).copied().flatten()
    }
}

/// A hash of a name, of this process.
pub(in crate::verify) fn hash_of_name(name: &str) -> u32 {
    MemberNames::of_process().hash(name.as_bytes())
}

/// A name of an object that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenMember {
    pub(super) hash: u32,
    /// The index of its node.
    pub(super) node: usize,
}

/// Up to how many names are compared with each other: a table costs more.
const FEW: usize = 8;

/// Returns whether two of these names are the same. `are_equal` compares the names of two nodes, whose hashes are equal. `table` is
/// space for it.
pub(super) fn has_duplicate(
    members: &[OpenMember],
    table: &mut Vec<u16>,
    are_equal: impl Fn(usize, usize) -> bool,
) -> bool {
    let is_same =
        |one: &OpenMember, other: &OpenMember| one.hash == other.hash && are_equal(one.node, other.node);
    if members.len() <= FEW {
        let earlier = |index: usize| members.get(..index).unwrap_or_default();
        return members
            .iter()
            .enumerate()
            .any(|(index, one)| earlier(index).iter().any(|other| is_same(one, other)));
    }
    // Half of the slots stay empty, so that a search ends soon.
    let size = (2 * members.len()).next_power_of_two();
    table.clear();
    table.resize(size, 0);
    for (number, one) in (1_u16..).zip(members) {
        let mut slot = one.hash as usize & (size - 1);
        loop {
            let Some(entry) = table.get_mut(slot) else { return true };
            if *entry == 0 {
                *entry = number;
                break;
            }
            if members.get(usize::from(*entry) - 1).is_none_or(|other| is_same(one, other)) {
                return true;
            }
            slot = (slot + 1) & (size - 1);
        }
    }
    false
}
