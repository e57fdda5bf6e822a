-- `autoincrement`: an id is never given to another account. Tokens, sessions and notes name it.
-- Names have one spelling, in ASCII, so that no two of them look alike.
create table accounts (
    id integer primary key autoincrement,
    username text not null unique
        check (length(username) between 1 and 32 and username not glob '*[^a-z0-9-]*'),
    password_hash text,
    role text not null default 'user' check (role in ('user', 'auditor', 'admin'))
) strict;
