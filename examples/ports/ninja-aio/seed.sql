insert or ignore into tenants (id, name) values ('herald', 'The Herald'), ('gazette', 'The Gazette');

insert or ignore into roles (id) values ('author'), ('editor'), ('admin');

insert or ignore into role_permissions (role, code) values
    ('author', 'article.create'),
    ('editor', 'article.create'), ('editor', 'article.update'),
    ('admin', 'article.create'), ('admin', 'article.update');

insert or ignore into accounts (id, name, tenant, role, is_staff, is_active, has_subscription) values
    (1, 'alice', 'herald', 'author', 0, 1, 0),
    (2, 'bob', 'herald', 'editor', 0, 1, 0),
    (3, 'carol', 'gazette', 'admin', 1, 1, 1),
    (4, 'dave', 'gazette', 'author', 0, 0, 0),
    (5, 'erin', 'gazette', null, 0, 1, 1),
    (6, 'the wire of the agency', 'herald', null, 0, 1, 0);

insert or ignore into identities (issuer, subject, account) values
    ('https://magazine.example', 'alice', 1),
    ('https://magazine.example', 'bob', 2),
    ('https://magazine.example', 'carol', 3),
    ('https://magazine.example', 'dave', 4),
    ('https://magazine.example', 'erin', 5),
    ('https://agency.example', 'wire', 6);

insert or ignore into articles (id, tenant, author, title, body, is_published) values
    (1, 'herald', 1, 'The bridge is open', 'After three years of work the bridge is open.', 1),
    (2, 'herald', 1, 'The mayor resigns', 'A draft: two sources say so.', 0),
    (3, 'herald', 2, 'A guide to the fair', 'Where to eat, and what to see.', 1),
    (4, 'gazette', 3, 'New timetables', 'Buses come every ten minutes.', 1),
    (5, 'gazette', 3, 'The merger', 'A draft: the papers are to merge.', 0),
    (6, 'gazette', 4, 'The old mill', 'A walk along the river.', 1);
