create table notes (
    id integer primary key autoincrement,
    owner integer not null references accounts,
    text text not null
) strict;

create index notes_of_an_owner on notes (owner, id);
