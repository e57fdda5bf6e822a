-- The tenant comes first in the key: every query has it, and an id says nothing of how many projects others have.
create table projects (
    tenant text not null,
    id text not null default (lower(hex(randomblob(16)))),
    name text not null,
    primary key (tenant, id)
) strict, without rowid;
