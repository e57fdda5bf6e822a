create table accounts (
    id text primary key,
    name text not null unique collate nocase,
    password_hash text, -- null: no password is right
    is_active integer not null default 1,
    is_staff integer not null default 0
) strict;

create table links (
    id integer primary key,
    account text not null references accounts,
    url text not null,
    title text not null,
    unique (account, url)
) strict;
