create table tenants (
    id text primary key,
    name text not null
) strict, without rowid;

create table roles (
    id text primary key
) strict, without rowid;

create table role_permissions (
    role text not null references roles,
    code text not null,
    primary key (role, code)
) strict, without rowid;

create table accounts (
    id integer primary key,
    name text not null unique,
    tenant text not null references tenants,
    role text references roles,
    is_staff integer not null default 0,
    is_active integer not null default 1,
    has_subscription integer not null default 0,
    password_hash text
) strict;

-- Who an account is at an issuer: the `sub` of its tokens. The same `sub` of two issuers is two people.
create table identities (
    issuer text not null,
    subject text not null,
    account integer not null references accounts,
    primary key (issuer, subject)
) strict, without rowid;

create table articles (
    id integer primary key,
    tenant text not null references tenants,
    author integer not null references accounts,
    title text not null,
    body text not null,
    is_published integer not null default 0
) strict;

-- An account with the permissions of its role, separated by spaces.
create view people as
select
    id,
    name,
    tenant,
    role,
    (select group_concat(code, ' ') from role_permissions where role_permissions.role = accounts.role) as permissions,
    is_staff,
    is_active,
    has_subscription,
    password_hash
from accounts;

create index articles_of_tenants on articles (tenant);
