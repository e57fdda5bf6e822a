//! Names that would be the same in Rust, or none: the enum goes without them, and the vocabulary has them.

auth_runtime::vocabulary!();

fn main() {
    assert_eq!((Role::ALL, Scope::ALL), (&[Role::Owner][..], &[][..]));
    assert_eq!((VOCABULARY.roles.len(), VOCABULARY.scopes.len()), (3, 1));
    let _ = Role::SiteAdmin;
}
