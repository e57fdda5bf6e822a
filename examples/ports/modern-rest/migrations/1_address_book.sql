create table accounts (
    id text primary key,
    email text not null unique collate nocase,
    password_hash text, -- null: no password is right
    language text not null default 'en',
    is_active integer not null default 1,
    is_staff integer not null default 0
) strict;

create table contacts (
    id integer primary key,
    owner text not null references accounts,
    name text not null,
    phone text not null
) strict;

-- Each has a token of its own, whose `jti` has this number: it must never be given again.
create table exports (
    id integer primary key autoincrement,
    owner text not null references accounts
) strict;
