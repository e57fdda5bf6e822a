insert or ignore into accounts (id, name, is_active, is_staff) values
    ('1', 'alice', 1, 1),
    ('2', 'bob', 1, 0),
    ('3', 'carol', 0, 0);

insert or ignore into links (id, account, url, title) values
    (1, '2', 'https://www.rfc-editor.org/rfc/rfc6265', 'How cookies work'),
    (2, '2', 'https://www.rfc-editor.org/rfc/rfc9700', 'What goes wrong with tokens'),
    (3, '2', 'https://www.rfc-editor.org/rfc/rfc1149', 'Packets by pigeon'),
    (4, '1', 'https://www.rfc-editor.org/rfc/rfc2324', 'Coffee by HTTP');
