create table accounts (
    id text primary key,
    name text not null unique,
    password_hash text, -- null: no password is right
    is_active integer not null default 1,
    is_agent integer not null default 0
) strict;

-- Programs of others, which bring tickets: each has an account. A key is 256 random bits, so a hash without a salt is enough.
create table partners (
    account text primary key references accounts,
    key_sha256 blob not null unique
) strict;

create table tickets (
    id integer primary key,
    account text not null references accounts,
    partner text references partners, -- its account; null: the owner of the ticket opened it
    title text not null,
    is_open integer not null default 1
) strict;

create view desk as
    select tickets.id, account, accounts.name as owner, partners.name as partner, title, is_open
    from tickets
    join accounts on accounts.id = tickets.account
    left join accounts as partners on partners.id = tickets.partner;
